//! Tools, and whether one must be called.

use std::collections::HashSet;

use super::{Door, Notice, is_name, strict};
use crate::{
    profile::ApiProfile,
    request::{ChatRequest, Function, Tool, ToolChoice},
};

/// The most functions of one request.
const TOOLS_MAX: usize = 128;
/// The longest name of a function.
const NAME_MAX: usize = 64;

pub(super) fn check(request: &ChatRequest, door: Door) -> Result<(), Notice> {
    let tools = request.tools.as_deref().unwrap_or_default();
    if tools.is_empty() {
        return Ok(());
    }
    if tools.len() > TOOLS_MAX {
        return Err(Notice::invalid(&format!(
            "Invalid 'tools': array too long. Expected an array with maximum length {TOOLS_MAX}, but got an array with length {} instead.",
            tools.len()
        )));
    }
    if door.profile == ApiProfile::Y2025 && request.resolved.thinks {
        return Err(Notice::invalid("deepseek-reasoner does not support Function Calling"));
    }
    let mut names = HashSet::new();
    for (index, Tool::Function { function }) in tools.iter().enumerate() {
        named_well(function, index)?;
        if !names.insert(function.name.as_str()) {
            return Err(Notice::invalid("Tool names must be unique"));
        }
        has_object(function)?;
    }
    strictly(request, door)?;
    choice(request, &names)
}

fn named_well(function: &Function, index: usize) -> Result<(), Notice> {
    let name = &function.name;
    if !is_name(name) {
        return Err(Notice::invalid(&format!(
            "Invalid 'tools[{index}].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        )));
    }
    if name.len() > NAME_MAX {
        return Err(Notice::invalid(&format!(
            "Invalid 'tools[{index}].function.name': string too long. Expected a string with maximum length {NAME_MAX}, but got a string with length {} instead.",
            name.len()
        )));
    }
    Ok(())
}

/// Arguments are an object; a schema that says nothing at all is let pass.
fn has_object(function: &Function) -> Result<(), Notice> {
    let Some(schema) = &function.parameters else { return Ok(()) };
    let empty = schema.as_object().is_some_and(serde_json::Map::is_empty);
    if empty || schema["type"] == "object" {
        return Ok(());
    }
    Err(Notice::invalid(&format!(
        "Invalid schema for function '{}': schema must be a JSON Schema of 'type: \"object\"', got 'type: {}'.",
        function.name, schema["type"]
    )))
}

fn strictly(request: &ChatRequest, door: Door) -> Result<(), Notice> {
    let tools = request.tools.as_deref().unwrap_or_default();
    let strict = |Tool::Function { function }: &Tool| function.strict == Some(true);
    if !tools.iter().any(strict) {
        return Ok(());
    }
    if !door.beta {
        return Err(Notice::beta_only("strict mode of function calling"));
    }
    if !tools.iter().all(strict) {
        return Err(Notice::invalid("In strict mode, `strict` must be set to true for all functions"));
    }
    tools.iter().try_for_each(|Tool::Function { function }| {
        let schema = function.parameters.as_ref();
        schema.map_or(Ok(()), strict::check).map_err(|why| {
            Notice::invalid(&format!("Invalid tool parameters schema : {why} (function '{}')", function.name))
        })
    })
}

fn choice(request: &ChatRequest, names: &HashSet<&str>) -> Result<(), Notice> {
    match &request.tool_choice {
        Some(ToolChoice::Named(name)) if !names.contains(name.as_str()) => {
            Err(Notice::invalid(&format!("tool_choice: no tool named '{name}' was specified")))
        }
        Some(ToolChoice::Named(_) | ToolChoice::Required) if request.resolved.thinks => {
            Err(Notice::invalid("Thinking mode does not support this tool_choice"))
        }
        _ => Ok(()),
    }
}
