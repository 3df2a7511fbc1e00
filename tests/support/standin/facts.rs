//! Facts: versions, and what is wrong with them.

use std::collections::HashMap;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{Caller, Defect, House, refusal};

/// One write in so many is forgotten, where that is the defect.
const FORGOTTEN: usize = 20;

/// The copy is renewed at one read in so many.
const RENEWED: usize = 64;

type Place = (usize, String);

/// All facts.
#[derive(Default)]
pub(super) struct Facts {
    versions: HashMap<Place, Vec<String>>,
    /// The copy that reads are served from, where that is the defect.
    copy: HashMap<Place, (String, usize)>,
    reads: usize,
    writes: usize,
}

impl Facts {
    fn of(&self, place: &Place) -> &[String] {
        self.versions.get(place).map(Vec::as_slice).unwrap_or_default()
    }

    fn read(&mut self, mut place: Place, defect: Defect) -> Option<(String, usize)> {
        self.reads += 1;
        if defect == Defect::MixesFacts {
            place.0 = self.versions.keys().filter(|other| other.1 == place.1).map(|other| other.0).min()?;
        }
        let now = self.of(&place);
        let now = now.last().map(|value| (value.clone(), now.len()))?;
        if defect == Defect::ReadsFromACopy && !self.reads.is_multiple_of(RENEWED) {
            return Some(self.copy.entry(place).or_insert(now).clone());
        }
        self.copy.insert(place, now.clone());
        Some(now)
    }

    /// Writes over a version, or whatever is there; tells the new version, or the one that is in the way.
    fn write(
        &mut self,
        place: Place,
        (value, over): (String, Option<usize>),
        defect: Defect,
    ) -> Result<usize, usize> {
        let now = self.of(&place).len();
        if over.is_some_and(|over| over != now) && defect != Defect::LastWriterWins {
            return Err(now);
        }
        self.writes += 1;
        if defect != Defect::DropsWrites || !self.writes.is_multiple_of(FORGOTTEN) {
            self.versions.entry(place).or_default().push(value);
        }
        Ok(now + 1)
    }
}

pub(super) async fn read(
    State(house): State<House>,
    Path(key): Path<String>,
    Caller(person): Caller,
) -> Response {
    match house.rooms().facts.read((person, key.clone()), house.defect) {
        Some((value, version)) => {
            Json(json!({"key": key, "value": value, "version": version})).into_response()
        }
        None => refusal(StatusCode::NOT_FOUND, json!({"error": "no such fact"})),
    }
}

pub(super) async fn history(
    State(house): State<House>,
    Path(key): Path<String>,
    Caller(person): Caller,
) -> Response {
    let rooms = house.rooms();
    let versions = (1..).zip(rooms.facts.of(&(person, key)));
    Json(versions.map(|(version, value)| json!({"version": version, "value": value})).collect::<Vec<_>>())
        .into_response()
}

pub(super) async fn write(
    State(house): State<House>,
    Path(key): Path<String>,
    Caller(person): Caller,
    Json(form): Json<Value>,
) -> Response {
    let value = form["value"].as_str().unwrap_or_default().to_owned();
    let over = form["version"].as_u64().and_then(|version| usize::try_from(version).ok());
    let written = house.rooms().facts.write((person, key.clone()), (value.clone(), over), house.defect);
    match written {
        Ok(version) => Json(json!({"key": key, "value": value, "version": version})).into_response(),
        Err(version) => {
            refusal(StatusCode::CONFLICT, json!({"error": "another version", "version": version}))
        }
    }
}
