//! Where a fault was seen: a source as fault files write it, and where it leads.

/// A source of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// What to call it.
    pub text: &'a str,
    /// Where it can be read, if anywhere.
    pub url: Option<String>,
}

impl<'a> Source<'a> {
    /// Reads `owner/repository#number`, `text, URL`, or plain text.
    pub(super) fn read(text: &'a str) -> Self {
        if let Some((text, url)) = text.split_once(", http") {
            return Self { text, url: Some(format!("http{url}")) };
        }
        let url = issue(text)
            .map(|(repository, number)| format!("https://github.com/{repository}/issues/{number}"));
        Self { text, url }
    }
}

fn issue(text: &str) -> Option<(&str, u64)> {
    let (repository, number) = text.split_once('#')?;
    let named = |name: &str| !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '/');
    let (owner, name) = repository.split_once('/')?;
    (named(owner) && named(name)).then_some(())?;
    Some((repository, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn an_issue_leads_to_its_page() {
        let source = Source::read("openai/openai-node#2309");

        assert_eq!(source.url.as_deref(), Some("https://github.com/openai/openai-node/issues/2309"));
    }

    #[test]
    fn a_document_has_a_name_and_a_place() {
        let source = Source::read("API documentation, https://api-docs.deepseek.com/guides/json_mode");

        assert_eq!(source.text, "API documentation");
        assert_eq!(source.url.as_deref(), Some("https://api-docs.deepseek.com/guides/json_mode"));
    }

    #[test]
    fn a_source_of_the_catalogue_leads_somewhere_or_says_in_words_what_it_is_m4() {
        for info in catalogue().iter() {
            for source in info.sources() {
                let words = source.text.split(' ').count();
                assert!(source.url.is_some() || words > 3, "{}: `{}`", info.id, source.text);
            }
        }
    }
}
