//! Uploaded files: what they are called and how large they are. Their bytes are counted and forgotten.
//!
//! Names, limits and objects are those of the Files API (DEEPSEEK A1,
//! <https://api-docs.deepseek.com/guides/files_api>). Invariant: keys see only their own files, and nothing here
//! grows beyond its bound.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    notice::Notice,
    render::{Stamp, hash, quoted},
    upload::{Form, UPLOAD_MAX, Upload},
};

/// The most files of a key.
pub const FILES_MAX: usize = 10_000;
/// The most bytes of a key.
const STORED_MAX: u64 = 25 * 1024 * 1024 * 1024;
/// The most files of all keys together; a bound of the mock, not of DeepSeek.
const FILES_TOTAL_MAX: usize = 10 * FILES_MAX;
/// The longest name of a file, in bytes; a bound of the mock, not of DeepSeek.
const NAME_MAX: usize = 512;
/// The most files of one page.
const PAGE_MAX: usize = 1000;
/// What files are for.
const PURPOSES: [&str; 3] = ["user_data", "text_recognition", "rich_layout_recognition"];
/// How long a file may be asked to live, in seconds.
const LIFETIME: std::ops::RangeInclusive<i64> = 3600..=2_592_000;

/// The files of all keys.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<Owners>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    id: String,
    bytes: usize,
    created: i64,
    name: String,
    purpose: String,
    expires: Option<i64>,
}

/// What is asked about files.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    /// `None`: what came is no form.
    Upload(Option<&'a Upload>),
    /// With this query.
    List(&'a str),
    Get(&'a str),
    Delete(&'a str),
}

impl Files {
    /// Answers the owner of this key.
    pub(crate) fn answer(&self, key: &str, asked: Asked<'_>, stamp: &Stamp) -> Notice {
        let owner = hash(key.split('+').next().unwrap_or_default());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = all.get_mut(&owner) {
            files.retain(|file| file.expires.is_none_or(|expires| expires > stamp.created));
        }
        let answer = match asked {
            Asked::Upload(upload) => keep(&mut all, owner, upload, stamp),
            Asked::List(query) => page(of(&all, owner), query),
            Asked::Get(id) => {
                of(&all, owner).iter().find(|file| file.id == id).ok_or_else(|| missing(id)).map(File::json)
            }
            Asked::Delete(id) => forget(&mut all, owner, id),
        };
        answer.map_or_else(|notice| notice, Notice::done)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl File {
    fn json(&self) -> String {
        let Self { id, bytes, created, .. } = self;
        let (name, purpose) = (quoted(&self.name), quoted(&self.purpose));
        let expires = self.expires.map(|at| format!(r#","expires_at":{at}"#)).unwrap_or_default();
        format!(
            r#"{{"id":"{id}","object":"file","bytes":{bytes},"created_at":{created},"filename":{name},"purpose":{purpose}{expires}}}"#
        )
    }
}

type Owners = HashMap<u64, Vec<File>>;

/// Returns the files of an owner, the oldest first.
fn of(all: &Owners, owner: u64) -> &[File] {
    all.get(&owner).map_or([].as_slice(), Vec::as_slice)
}

fn keep(all: &mut Owners, owner: u64, upload: Option<&Upload>, stamp: &Stamp) -> Result<String, Notice> {
    let file = read(upload, stamp)?;
    has_room(of(all, owner), &file, all.values().map(Vec::len).sum())?;
    let json = file.json();
    all.entry(owner).or_default().push(file);
    Ok(json)
}

fn forget(all: &mut Owners, owner: u64, id: &str) -> Result<String, Notice> {
    let place = of(all, owner).iter().position(|file| file.id == id).ok_or_else(|| missing(id))?;
    let files = all.entry(owner).or_default();
    files.remove(place);
    if files.is_empty() {
        all.remove(&owner);
    }
    Ok(format!(r#"{{"id":{},"object":"file","deleted":true}}"#, quoted(id)))
}

/// Reads what a form says of its file.
fn read(upload: Option<&Upload>, stamp: &Stamp) -> Result<File, Notice> {
    let upload = upload.ok_or_else(|| Notice::invalid("Expected a body of type multipart/form-data"))?;
    let form = upload.form().ok_or_else(|| Notice::invalid("Failed to parse the request body as a form"))?;
    let required = |name| Notice::invalid(&format!("Missing required field: {name}"));
    let file = form.file.as_ref().ok_or_else(|| required("file"))?;
    let purpose = form.field("purpose").ok_or_else(|| required("purpose"))?;
    if !PURPOSES.contains(&purpose.as_str()) {
        return Err(Notice::invalid(&format!(
            "Invalid purpose value, the valid values of purpose are {}",
            PURPOSES.join(", ")
        )));
    }
    if purpose != PURPOSES[0] && !form.is_before_file("purpose") {
        return Err(Notice::invalid(&format!("purpose {purpose} must be before the file")));
    }
    if file.name.len() > NAME_MAX {
        return Err(Notice::invalid(&format!("The name of a file may have {NAME_MAX} bytes")));
    }
    if file.bytes > UPLOAD_MAX {
        return Err(Notice::too_large(UPLOAD_MAX));
    }
    let expires = lifetime(form)?.map(|seconds| stamp.created + seconds);
    let id = format!("file-api-{}", stamp.id.replace('-', ""));
    Ok(File { id, bytes: file.bytes, created: stamp.created, name: file.name.clone(), purpose, expires })
}

fn lifetime(form: &Form) -> Result<Option<i64>, Notice> {
    let seconds = form.field("expires_after[seconds]").map(|text| text.parse::<i64>().ok());
    match (form.field("expires_after[anchor]").as_deref(), seconds) {
        (None, None) => Ok(None),
        (Some("created_at"), Some(Some(seconds))) if LIFETIME.contains(&seconds) => Ok(Some(seconds)),
        (Some("created_at"), Some(_)) => Err(Notice::invalid(
            "Invalid expires_after[seconds] value, the valid range of expires_after[seconds] is [3600, 2592000]",
        )),
        _ => Err(Notice::invalid(
            "expires_after[anchor] must be created_at, and be given together with expires_after[seconds]",
        )),
    }
}

fn has_room(mine: &[File], file: &File, total: usize) -> Result<(), Notice> {
    let bytes = |file: &File| u64::try_from(file.bytes).unwrap_or(u64::MAX);
    let stored: u64 = mine.iter().map(bytes).sum();
    if mine.len() >= FILES_MAX || total >= FILES_TOTAL_MAX {
        return Err(Notice::invalid(&format!("Too many files, at most {FILES_MAX} may be stored")));
    }
    if stored + bytes(file) > STORED_MAX {
        return Err(Notice::invalid(&format!("Too many bytes, files may have {STORED_MAX} bytes together")));
    }
    Ok(())
}

/// Renders the files that a query asks for, the newest first unless it wants it otherwise.
fn page(mine: &[File], query: &str) -> Result<String, Notice> {
    let asked = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let limit = asked("limit").map_or(Ok(PAGE_MAX), str::parse);
    let limit = limit.ok().filter(|limit| (1..=PAGE_MAX).contains(limit)).ok_or_else(|| {
        Notice::invalid(&format!("Invalid limit value, the valid range of limit is [1, {PAGE_MAX}]"))
    })?;
    let mut files: Vec<_> =
        mine.iter().filter(|file| asked("purpose").is_none_or(|it| it == file.purpose)).collect();
    match asked("order") {
        None | Some("desc") => files.reverse(),
        Some("asc") => {}
        Some(_) => {
            return Err(Notice::invalid("Invalid order value, the valid values of order are asc, desc"));
        }
    }
    if let Some(after) = asked("after") {
        let place = files.iter().position(|file| file.id == after).ok_or_else(|| missing(after))?;
        files.drain(..=place);
    }
    let more = files.len() > limit;
    files.truncate(limit);
    let id = |file: Option<&&File>| file.map_or_else(|| "null".to_owned(), |file| quoted(&file.id));
    let (first, last) = (id(files.first()), id(files.last()));
    let data = files.iter().map(|file| file.json()).collect::<Vec<_>>().join(",");
    Ok(format!(
        r#"{{"object":"list","data":[{data}],"first_id":{first},"last_id":{last},"has_more":{more}}}"#
    ))
}

fn missing(id: &str) -> Notice {
    Notice::json(404, "invalid_request_error", &format!("No such file: {id}"))
}
