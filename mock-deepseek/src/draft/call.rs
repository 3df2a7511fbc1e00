//! Tool calls: what the script says, or what the request demands.
//!
//! Invariant: only tools that the request offers are called, and arguments of the mock's own making
//! satisfy the tool's schema.

use serde_json::{Value, json};

use super::arguments;
use crate::{
    chunks::Chunks,
    request::{ChatRequest, Function, ToolChoice},
    script::{Reply, ScriptedCall},
    tokens,
};

/// A tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// JSON, unless the script wants it otherwise.
    pub(crate) arguments: Chunks,
}

impl Call {
    /// Returns how many tokens it costs.
    pub(crate) fn tokens(&self) -> usize {
        tokens::each(&self.name).count() + self.arguments.tokens()
    }

    /// Cuts the arguments so that the call fits; says whether it can be made at all.
    pub(super) fn keep_tokens(&mut self, budget: usize) -> bool {
        let name = tokens::each(&self.name).count();
        let Some(left) = budget.checked_sub(name) else { return false };
        self.arguments.keep_tokens(left);
        true
    }
}

/// Decides which tools are called.
pub(super) fn calls(request: &ChatRequest, reply: &Reply, per_chunk: usize) -> Vec<Call> {
    let offered: Vec<_> = request.tools().collect();
    let make = |name: &str, arguments: &str| Call {
        name: name.to_owned(),
        arguments: Chunks::of(arguments, per_chunk),
    };
    match (&reply.calls, demanded(request, &offered)) {
        (Some(calls), _) if !offered.is_empty() => {
            calls.iter().map(|call| make(&call.name, &scripted(call, &offered))).collect()
        }
        (_, Some(tool)) => vec![make(&tool.name, &made_up(Some(tool)))],
        _ => Vec::new(),
    }
}

/// Returns the tool that must be called: the one that is named, or the first if any will do.
fn demanded<'a>(request: &ChatRequest, offered: &[&'a Function]) -> Option<&'a Function> {
    match request.tool_choice.as_ref()? {
        ToolChoice::Required => offered.first().copied(),
        ToolChoice::Named(name) => offered.iter().copied().find(|tool| tool.name == *name),
        ToolChoice::None | ToolChoice::Auto => None,
    }
}

fn scripted(call: &ScriptedCall, offered: &[&Function]) -> String {
    match &call.arguments {
        Some(Value::String(text)) => text.clone(),
        Some(arguments) => arguments.to_string(),
        None => made_up(offered.iter().copied().find(|tool| tool.name == call.name)),
    }
}

fn made_up(tool: Option<&Function>) -> String {
    let schema = tool.and_then(|tool| tool.parameters.as_ref());
    schema.map_or_else(|| json!({}), arguments::example).to_string()
}
