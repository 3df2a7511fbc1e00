//! A form with a file, read while it arrives (RFC 7578): fields are kept, of the file only its size.
//!
//! Invariant: memory is bounded whatever is sent; what cannot be read is told in [`Form`] at the end, when all of
//! the body has passed.

use memchr::memmem::find;

use crate::headers::Headers;

/// The largest file.
pub const UPLOAD_MAX: usize = 128 * 1024 * 1024;
/// The largest body that holds such a file.
pub(crate) const UPLOAD_BODY_MAX: usize = UPLOAD_MAX + 64 * 1024;
/// The longest head of a part.
const HEAD_MAX: usize = 8 * 1024;
/// The longest value of a field.
const FIELD_MAX: usize = 1024;
/// The most fields beside the file.
const FIELDS_MAX: usize = 16;
/// The longest boundary: RFC 2046, section 5.1.1.
const BOUNDARY_MAX: usize = 70;

/// A form that is arriving.
#[derive(Debug)]
pub(crate) struct Upload {
    /// What stands between parts.
    delimiter: Vec<u8>,
    /// What has arrived and could be the beginning of something.
    held: Vec<u8>,
    state: State,
    form: Form,
}

/// What a form said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) file: Option<FilePart>,
    fields: Vec<(String, Vec<u8>)>,
}

/// The file of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilePart {
    pub(crate) name: String,
    pub(crate) bytes: usize,
    /// How many fields stood before it.
    fields_before: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Within a part, or before the first.
    Data(Part),
    /// Behind a delimiter.
    Between,
    Head,
    After,
    Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    File,
    /// The last of the fields.
    Field,
    /// The preamble, or what nobody asked for.
    Ignored,
}

impl Upload {
    /// Begins to read a form; `None` when the headers do not speak of one.
    pub(crate) fn of(headers: &Headers) -> Option<Self> {
        let kind = headers.get("content-type")?;
        let (media, _) = kind.split_once(';')?;
        let boundary = parameter(kind, "boundary")?;
        let is_form = media.trim().eq_ignore_ascii_case("multipart/form-data");
        (is_form && (1..=BOUNDARY_MAX).contains(&boundary.len())).then(|| Self {
            delimiter: ["\r\n--", &boundary].concat().into_bytes(),
            // The first delimiter has no line before it.
            held: b"\r\n".to_vec(),
            state: State::Data(Part::Ignored),
            form: Form::default(),
        })
    }

    /// Takes the next bytes of the body.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::After | State::Wrong) {
            return;
        }
        self.held.extend_from_slice(bytes);
        while self.step() {}
    }

    /// Returns what the form said; `None` when it was none, or did not end.
    pub(crate) fn form(&self) -> Option<&Form> {
        (self.state == State::After).then_some(&self.form)
    }

    /// Goes one step on; says whether another can be made with what is held.
    fn step(&mut self) -> bool {
        match self.state {
            State::Data(part) => self.data(part),
            State::Between => match self.held.get(..2) {
                None => false,
                Some(b"\r\n") => self.go_on(2, State::Head),
                Some(b"--") => self.stop(State::After),
                Some(_) => self.stop(State::Wrong),
            },
            State::Head => match find(&self.held, b"\r\n\r\n") {
                Some(end) => match self.begin(end) {
                    Some(part) => self.go_on(end + 4, State::Data(part)),
                    None => self.stop(State::Wrong),
                },
                None if self.held.len() > HEAD_MAX => self.stop(State::Wrong),
                None => false,
            },
            State::After | State::Wrong => false,
        }
    }

    fn data(&mut self, part: Part) -> bool {
        let found = find(&self.held, &self.delimiter);
        let certain = found.unwrap_or_else(|| (self.held.len() + 1).saturating_sub(self.delimiter.len()));
        if !self.take(part, certain) {
            return self.stop(State::Wrong);
        }
        if found.is_some() {
            return self.go_on(certain + self.delimiter.len(), State::Between);
        }
        self.held.drain(..certain);
        false
    }

    /// Gives the first bytes of what is held to the part; says whether it can take them.
    fn take(&mut self, part: Part, count: usize) -> bool {
        match (part, &mut self.form.file, self.form.fields.last_mut()) {
            (Part::File, Some(file), _) => file.bytes += count,
            (Part::Field, _, Some((_, value))) => {
                value.extend_from_slice(&self.held[..count.min(FIELD_MAX + 1)]);
                return value.len() <= FIELD_MAX;
            }
            _ => {}
        }
        true
    }

    /// Begins the part whose head ends at `end`; `None` when it says nothing of itself, or there are too many.
    fn begin(&mut self, end: usize) -> Option<Part> {
        let head = String::from_utf8_lossy(&self.held[..end]).into_owned();
        let disposition = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-disposition").then_some(value)
        })?;
        let name = parameter(disposition, "name")?;
        let fields_before = self.form.fields.len();
        match (name.as_str(), &self.form.file) {
            ("file", None) => {
                let name = parameter(disposition, "filename").unwrap_or_default();
                self.form.file = Some(FilePart { name, bytes: 0, fields_before });
                Some(Part::File)
            }
            ("file", Some(_)) => Some(Part::Ignored),
            _ if fields_before == FIELDS_MAX => None,
            _ => {
                self.form.fields.push((name, Vec::new()));
                Some(Part::Field)
            }
        }
    }

    fn go_on(&mut self, used: usize, state: State) -> bool {
        self.held.drain(..used);
        self.state = state;
        true
    }

    fn stop(&mut self, state: State) -> bool {
        self.held = Vec::new();
        self.state = state;
        false
    }
}

impl Form {
    /// Returns the value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// Says whether a field stood before the file.
    pub(crate) fn is_before_file(&self, name: &str) -> bool {
        let before = self.file.as_ref().map_or(0, |file| file.fields_before);
        self.fields.iter().take(before).any(|(field, _)| field == name)
    }
}

/// Reads a parameter of a header, in quotes or without.
fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header;
    loop {
        rest = rest[rest.find(';')? + 1..].trim_start();
        let (key, value) = rest.split_once('=')?;
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn upload() -> Upload {
        let mut headers = Headers::default();
        let kind = b"multipart/form-data; charset=x; boundary=\"b;x\"";
        headers.push("content-type", kind, &mut crate::headers::Credentials::default());
        Upload::of(&headers).unwrap()
    }

    fn body(data: &str) -> String {
        format!(
            "preamble\r\n--b;x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nuser_data\r\n--b;x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a;b.png\"\r\ncontent-type: image/png\r\n\r\n{data}\r\n--b;x\r\nContent-Disposition: form-data; name=late\r\n\r\n1\r\n--b;x--\r\nepilogue"
        )
    }

    proptest! {
        #[test]
        fn a_form_reads_the_same_however_it_is_cut_m1(data in "[-\r\nb;x]{0,40}", cut in 1_usize..60) {
            prop_assume!(!data.contains("\r\n--b;x"));
            let mut upload = upload();

            body(&data).as_bytes().chunks(cut).for_each(|bytes| upload.feed(bytes));

            let form = upload.form().unwrap();
            let file = form.file.as_ref().unwrap();
            prop_assert_eq!((file.name.as_str(), file.bytes), ("a;b.png", data.len()));
            prop_assert_eq!(form.field("purpose"), Some("user_data".to_owned()));
            prop_assert!(form.is_before_file("purpose") && !form.is_before_file("late"));
            prop_assert_eq!(form.field("late"), Some("1".to_owned()));
        }

        #[test]
        fn nothing_that_is_sent_makes_it_hold_much_m1(data: Vec<u8>, times in 1_usize..200) {
            let mut upload = upload();

            for _ in 0..times {
                upload.feed(&data);
                upload.feed(b"\r\n--b;x\r\n");
            }

            prop_assert!(upload.held.len() <= HEAD_MAX + data.len() + 16);
        }
    }

    #[test]
    fn a_form_that_does_not_end_or_is_too_much_is_none_m1() {
        let many = "\r\n--b;x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nv".repeat(FIELDS_MAX + 1);
        let long = format!(
            "\r\n--b;x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n{}",
            "v".repeat(FIELD_MAX + 1)
        );
        let ends = "\r\n--b;x--";
        for text in [
            body("x").replace("--b;x--", ""),
            many + ends,
            long + ends,
            format!("--b;x\r\n{}", "h".repeat(HEAD_MAX + 1)),
            "--b;xyz".to_owned(),
            format!("--b;x\r\nContent-Type: a/b\r\n\r\nx{ends}"),
        ] {
            let mut upload = upload();

            upload.feed(text.as_bytes());

            assert_eq!(upload.form(), None, "{text}");
        }
    }
}
