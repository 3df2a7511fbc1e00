//! Server-sent events, whatever pieces the network makes of them.

/// Cuts a body into the data of its server-sent events.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<String>,
}

impl Events {
    /// Takes bytes and returns the data of the events that they complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                match line.trim_end_matches(['\n', '\r']) {
                    "" if self.data.is_empty() => {}
                    "" => events.push(std::mem::take(&mut self.data).join("\n")),
                    field => self.data.extend(data_of(field)),
                }
            }
        }
        events
    }
}

/// Returns the text of a `data` field; comments and other fields have none.
fn data_of(field: &str) -> Option<String> {
    let text = field.strip_prefix("data:")?;
    Some(text.strip_prefix(' ').unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = ": hello\r\n\r\ndata: {\"a\":\ndata: 1}\n\nevent: x\ndata:[DONE]\n\ndata: cut";

    #[test]
    fn events_are_the_same_wherever_the_body_is_cut_s5() {
        for size in 1..=BODY.len() {
            let mut events = Events::default();

            let found: Vec<_> = BODY.as_bytes().chunks(size).flat_map(|piece| events.feed(piece)).collect();

            assert_eq!(found, ["{\"a\":\n1}", "[DONE]"], "pieces of {size}");
        }
    }
}
