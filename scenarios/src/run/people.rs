//! The people of a scenario: accounts, devices, and the uninvolved user who probes.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Method;
use serde_json::json;

use super::{deciders, writers::Order};
use crate::{
    device::{Device, Door, Naming, Seat},
    history::{FactHistory, SuggestionHistory},
    model::{self, DeviceName, Manner, Scenario},
    record::What,
    rest::{Request, Rest},
    result::{Check, CheckSource},
    target::Visitor,
    world::{Broken, World},
};

/// What the probe asks: nothing that any scenario is about.
const PROBE_QUESTION: &str = "Which vegetables are rich in folate?";

/// What somebody agrees to who wants answers, on a target that asks for it.
const CONSENT: &str = "/api/users/me/consents/ai_provider_transfer";

/// So long a socket's first frame may wait for its answer.
const WELCOME_LIMIT: Duration = Duration::from_secs(1);

/// A signed-in user.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// None where nobody asks for one.
    pub(super) token: Option<String>,
    pub(super) rest: Rest,
    pub(super) number: usize,
}

/// Everybody who takes part.
#[derive(Debug)]
pub(super) struct People<'a> {
    pub(super) world: &'a World,
    persons: BTreeMap<String, Person>,
    sockets: BTreeMap<String, Device>,
    /// What devices know, whether they are connected or not.
    seats: BTreeMap<String, Seat>,
    pub(super) saved: BTreeMap<String, String>,
    pub(super) histories: Vec<FactHistory>,
    pub(super) decisions: Vec<SuggestionHistory>,
    /// The order of the calls that histories are made of.
    pub(super) order: Order,
    /// Places in the record and in the journal at the last sending.
    pub(super) last_sending: (usize, usize),
    probes: usize,
}

impl<'a> People<'a> {
    /// Makes the accounts.
    pub(super) async fn gather(scenario: &Scenario, world: &'a World) -> Result<Self, Broken> {
        let mut people = Self {
            world,
            persons: BTreeMap::new(),
            sockets: BTreeMap::new(),
            seats: BTreeMap::new(),
            saved: BTreeMap::new(),
            histories: Vec::new(),
            decisions: Vec::new(),
            order: Order::new(world.clock()),
            last_sending: (0, 0),
            probes: 0,
        };
        for (number, user) in scenario.tables.users.iter().enumerate() {
            let name = user.name.get_ref();
            let person = people.sign_in(name, &user.language, number).await?;
            if user.admin {
                people.crown(name).await?;
            }
            people.persons.insert(name.clone(), person);
        }
        Ok(people)
    }

    /// Makes an administrator of somebody who has an account.
    async fn crown(&self, name: &str) -> Result<(), Broken> {
        let cannot = || Broken::Other("this target has no administrators that could be made".to_owned());
        let crown = self.world.crown.as_ref().ok_or_else(cannot)?;
        (crown.0)(format!("{name}.{}@example.org", self.world.nonce)).await.map_err(Broken::Other)
    }

    async fn sign_in(&self, name: &str, language: &str, number: usize) -> Result<Person, Broken> {
        let rest = Rest::new(&self.world.base, self.world.entrance.host.as_deref(), World::address(number))
            .map_err(Broken::Other)?;
        let user = format!("{name}.{}", self.world.nonce);
        let visitor = Visitor { user: &user, language, now: self.world.clock().wall() };
        let token = self.world.entrance.auth.sign_in(&rest, visitor).await.map_err(Broken::Other)?;
        Ok(Person { token, rest, number })
    }

    /// Agrees to what the target asks for, if it does.
    async fn agree(&self, person: &Person) -> Result<(), Broken> {
        if self.world.settings.0.get("privacy.ask_consent") != Some(&json!(true)) {
            return Ok(());
        }
        let call = async |method, body| {
            let (path, token) = (CONSENT.to_owned(), person.token.clone());
            let request = Request { method, path, token, body, ..Request::default() };
            person.rest.call(request).await.map_err(Broken::Other)
        };
        let asked = call(Method::GET, None).await?;
        call(Method::PUT, Some(json!({"shown": asked.body["shown"]}))).await.map(drop)
    }

    /// Puts saved values, a user's token and the word of this run in the place of their names.
    pub(super) fn fill(&self, text: &str, token: Option<&str>) -> String {
        let text = text.replace("{token}", token.unwrap_or_default()).replace("{nonce}", &self.world.nonce);
        self.saved.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    pub(super) fn person(&self, name: &str) -> Result<&Person, Broken> {
        self.persons.get(name).ok_or_else(|| Broken::Other(format!("there is no user `{name}`")))
    }

    /// Puts names in the place of the users' tokens.
    pub(super) fn without_tokens(&self, mut lines: Vec<String>) -> Vec<String> {
        for (name, person) in &self.persons {
            let Some(token) = &person.token else { continue };
            for line in lines.iter_mut().filter(|line| line.contains(token)) {
                *line = line.replace(token, &format!("<token of {name}>"));
            }
        }
        lines
    }

    /// Returns anybody's client, for calls without a token.
    pub(super) fn anybody(&self) -> Result<&Person, Broken> {
        self.persons.values().next().ok_or_else(|| Broken::Other("scenario has no users".to_owned()))
    }

    /// Opens a socket for a device, with the user's token or another one.
    pub(super) async fn connect(&mut self, connect: &model::Device) -> Result<(), Broken> {
        let device = connect.device.get_ref().as_str();
        let name: DeviceName = device.parse().map_err(Broken::Other)?;
        let person = self.person(&name.user)?;
        let (own, number) = (person.token.as_deref(), person.number);
        let token = match &connect.token {
            Some(token) => Some(self.fill(token, own)).filter(|token| !token.is_empty()),
            None => person.token.clone(),
        };
        let told = connect.manner();
        let headers =
            told.headers.iter().map(|(name, value)| (name.clone(), self.fill(value, own))).collect();
        let manner = Manner { headers, query: told.query.map(|query| self.fill(&query, own)), ..told };
        self.seats.entry(device.to_owned()).or_insert_with(|| Seat::new(&name.device));
        let target = self.world.base_of(connect.replica)?;
        let first = self.world.recorder.len();
        let socket = self.open(device, number, (target, token, manner)).await?;
        self.sockets.remove(device);
        self.sockets.extend(socket.map(|socket| (device.to_owned(), socket)));
        self.welcomed(device, first).await
    }

    /// Waits for the answer to a socket's first frame: in real time what is said before it may be told without it.
    async fn welcomed(&self, device: &str, first: usize) -> Result<(), Broken> {
        if self.world.is_fresh() {
            return Ok(());
        }
        let is_answered = || {
            self.world.recorder.ask(first, |events| {
                let of_device =
                    || events.iter().filter(|event| event.actor == device).map(|event| &event.what);
                let has_asked = of_device().any(|what| matches!(what, What::SentRaw(_)));
                !has_asked || of_device().any(|what| matches!(what, What::Frame(_) | What::Closed { .. }))
            })
        };
        // Who is not welcomed is judged by what comes of it.
        self.world.until(WELCOME_LIMIT, is_answered).await.map(drop)
    }

    async fn open(
        &self,
        device: &str,
        number: usize,
        (base, token, manner): (&str, Option<String>, Manner),
    ) -> Result<Option<Device>, Broken> {
        let target = base.trim_start_matches("http://").parse();
        let target = target.map_err(|_| Broken::Other(format!("`{base}` is not `http://address:port`")))?;
        let (chat, host) = (self.world.entrance.chat.clone(), self.world.entrance.host.clone());
        let seat = self.seats.get(device).cloned().unwrap_or_default();
        let door = Door { target, host, from: World::address(number), chat, token, manner, seat };
        Device::open(device, &door, &self.world.recorder, &self.world.activity()).await.map_err(Broken::Other)
    }

    pub(super) fn socket(&mut self, device: &str) -> Result<&mut Device, Broken> {
        let closed = || Broken::Other(format!("device `{device}` has no open socket; `connect` it first"));
        self.sockets.get_mut(device).ok_or_else(closed)
    }

    pub(super) async fn hang_up(&mut self, device: &str) {
        if let Some(socket) = self.sockets.remove(device) {
            socket.hang_up().await;
        }
    }

    /// Returns the devices whose sockets are open on this side.
    pub(super) fn open_sockets(&self) -> impl Iterator<Item = &str> {
        let closed = |device: &str| {
            self.world.recorder.ask(0, |events| {
                let last = events.iter().rev().find(|event| {
                    event.actor == device && matches!(event.what, What::Opened | What::Closed { .. })
                });
                last.is_some_and(|event| matches!(event.what, What::Closed { .. }))
            })
        };
        self.sockets.keys().map(String::as_str).filter(move |device| !closed(device))
    }

    /// Notes what the model has seen by the end of a step: times alone do not order what happens at one
    /// instant.
    pub(super) fn close_step(&self) {
        let journal = self.world.llm.journal();
        let ended = journal.iter().enumerate().filter(|(_, exchange)| exchange.end.is_some());
        let ended = ended.map(|(place, _)| place).collect();
        self.world.recorder.note("harness", What::Step { exchanges: journal.len(), ended });
    }

    /// Gives this moment a name.
    pub(super) fn mark(&self, name: &str) {
        let exchanges = self.world.llm.journal().len();
        self.world.recorder.note("harness", What::Mark { name: name.to_owned(), exchanges });
    }

    /// Returns what was decided upon suggestions.
    pub(super) fn decided(&self) -> Vec<SuggestionHistory> {
        self.decisions.iter().cloned().map(deciders::numbered).collect()
    }

    /// Returns the histories, each told what was written elsewhere.
    pub(super) fn into_histories(self) -> Vec<FactHistory> {
        let mut histories = self.histories;
        for n in 0..histories.len() {
            let (user, key) = (histories[n].user.clone(), histories[n].key.clone());
            let others = histories.iter().filter(|other| (&other.user, &other.key) != (&user, &key));
            let elsewhere = others.flat_map(|other| {
                let place = format!("`{}` of `{}`", other.key, other.user);
                other.operations.iter().map(move |write| (write.value.clone(), place.clone()))
            });
            histories[n].elsewhere = elsewhere.collect();
        }
        histories
    }

    /// Asks one question as a new user, and expects an answer.
    pub(super) async fn probe(&mut self, id: &str) -> Result<Check, Broken> {
        self.probes += 1;
        let device = format!("probe{}.phone", self.probes);
        let person = self.sign_in(&format!("probe{}", self.probes), "en", 150 + self.probes).await?;
        self.agree(&person).await?;
        let from = self.world.recorder.len();
        let to = (self.world.base.as_str(), person.token, Manner::default());
        let socket = self.open(&device, person.number, to).await?;
        let answered = match socket {
            Some(mut socket) => {
                socket.send(&[PROBE_QUESTION.to_owned()], Naming::default()).await;
                let within = self.world.settings_span("llm.total").unwrap_or_default();
                let recorder = &self.world.recorder;
                let done = || {
                    recorder.ask(from, |events| events.iter().any(|e| e.actor == device && is_end(&e.what)))
                };
                self.world.until(within, done).await?;
                let answered = recorder
                    .ask(from, |events| events.iter().any(|e| e.actor == device && is_answer(&e.what)));
                socket.hang_up().await;
                self.world.settle().await?;
                answered
            }
            None => false,
        };
        Ok(Check {
            id: id.to_owned(),
            source: CheckSource::Steady,
            held: answered,
            expected: "an uninvolved user gets an answer of the model".to_owned(),
            observed: if answered { "answered" } else { "no answer of the model" }.to_owned(),
            evidence: Vec::new(),
        })
    }
}

fn is_end(what: &What) -> bool {
    matches!(what, What::Frame(frame) if frame.is_end()) || matches!(what, What::Closed { .. })
}

fn is_answer(what: &What) -> bool {
    let What::Frame(frame) = what else { return false };
    frame.field("type") == "message"
        && matches!(frame.field("kind"), "" | "answer")
        && !frame.field("content").is_empty()
}
