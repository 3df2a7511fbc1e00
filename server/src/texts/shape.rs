//! What a Fluent text is made of: the keys of a file, and the variables of each.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

/// What stands in a text beside words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Names of the variables, such as `seconds` for `{ $seconds }`.
    pub variables: BTreeSet<String>,
    /// References to other texts, terms or functions, as `name`.
    pub references: BTreeSet<String>,
}

/// Returns every key of a file with the shape of its text. A key is `message`, or `message.attribute`.
pub fn shapes(resource: &FluentResource) -> BTreeMap<String, Shape> {
    let mut shapes = BTreeMap::new();
    for entry in resource.entries() {
        let Entry::Message(message) = entry else { continue };
        if let Some(value) = &message.value {
            shapes.insert(message.id.name.to_owned(), shape(value));
        }
        for attribute in &message.attributes {
            shapes.insert(format!("{}.{}", message.id.name, attribute.id.name), shape(&attribute.value));
        }
    }
    shapes
}

/// Returns the text of a key as it is written in a file, if it holds nothing but words and variables.
pub fn written(resource: &FluentResource, key: &str) -> Option<String> {
    let (id, part) = key.split_once('.').unwrap_or((key, ""));
    let message = resource.entries().find_map(|entry| match entry {
        Entry::Message(message) if message.id.name == id => Some(message),
        _ => None,
    })?;
    let attribute = message.attributes.iter().find(|attribute| attribute.id.name == part);
    let pattern = attribute.map(|attribute| &attribute.value).or(message.value.as_ref())?;
    let element = |element: &PatternElement<&str>| match element {
        PatternElement::TextElement { value } => Some((*value).to_owned()),
        PatternElement::Placeable {
            expression: Expression::Inline(InlineExpression::VariableReference { id }),
        } => Some(format!("{{ ${} }}", id.name)),
        PatternElement::Placeable { .. } => None,
    };
    pattern.elements.iter().map(element).collect()
}

fn shape(pattern: &Pattern<&str>) -> Shape {
    let mut shape = Shape::default();
    look(pattern, &mut shape);
    shape
}

fn look(pattern: &Pattern<&str>, shape: &mut Shape) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            look_at(expression, shape);
        }
    }
}

fn look_at(expression: &Expression<&str>, shape: &mut Shape) {
    match expression {
        Expression::Inline(inline) => look_inside(inline, shape),
        Expression::Select { selector, variants } => {
            look_inside(selector, shape);
            for variant in variants {
                look(&variant.value, shape);
            }
        }
    }
}

fn look_inside(inline: &InlineExpression<&str>, shape: &mut Shape) {
    match inline {
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        InlineExpression::VariableReference { id } => {
            shape.variables.insert(id.name.to_owned());
        }
        InlineExpression::FunctionReference { id, .. }
        | InlineExpression::MessageReference { id, .. }
        | InlineExpression::TermReference { id, .. } => {
            shape.references.insert(id.name.to_owned());
        }
        InlineExpression::Placeable { expression } => look_at(expression, shape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_wherever_they_stand_f61() {
        let source = "plain = Hello\n\
            deep = { $count ->\n    [one] one { $name }\n   *[other] { \"x\" }{ other } { NUMBER($left) }\n }\n\
            a =\n    .b = Wait { $seconds } s\n";
        let shapes = shapes(&FluentResource::try_new(source.to_owned()).unwrap());

        let keys: Vec<_> = shapes.keys().map(String::as_str).collect();
        assert_eq!(keys, ["a.b", "deep", "plain"]);
        assert_eq!(shapes["deep"].variables, ["count", "name"].map(str::to_owned).into());
        assert_eq!(shapes["deep"].references, ["NUMBER", "other"].map(str::to_owned).into());
        assert_eq!(shapes["a.b"].variables, ["seconds".to_owned()].into());
        assert_eq!(shapes["plain"], Shape::default());
        let resource = FluentResource::try_new(source.to_owned()).unwrap();
        assert_eq!(written(&resource, "a.b").as_deref(), Some("Wait { $seconds } s"));
        assert_eq!(written(&resource, "deep"), None);
    }
}
