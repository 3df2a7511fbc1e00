//! `gauntlet admin`: what whoever runs the server does without it.

use std::{
    fs,
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use clock::SystemClock;
use secrecy::{ExposeSecret, SecretString};
use server::{
    Config, Parts,
    accounts::{AccountError, Accounts, Seeding},
    audit::{Act, Audit},
    storage::{Actor, Database, User},
};
use tokio::runtime::Runtime;

use crate::{config::Source, exit_code::ExitCode, failure::Failure, output};

/// Longest password that is read, in bytes: far beyond what is accepted.
const PASSWORD_BYTES_MAX: u64 = 4096;

/// What to do at the database of a server. One on SQLite must not run meanwhile.
#[derive(Debug, Subcommand)]
pub(crate) enum Wish {
    /// Make an account an administrator's; it is made if there is none with this address
    CreateAdmin(CreateAdmin),
    /// Remove the second factor of an account, such as when the phone is lost
    RemoveSecondFactor(Whose),
    /// Make users in number, with a past, and print a token for each: for a load, never where real people are
    SeedUsers(SeedUsers),
}

#[derive(Debug, Args)]
pub(crate) struct CreateAdmin {
    #[command(flatten)]
    whose: Whose,
    /// File with the password of a new account; without it the password is read from standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Whose {
    #[command(flatten)]
    place: Place,
    /// E-mail address of the account
    #[arg(long, value_name = "ADDRESS")]
    email: String,
}

/// Which database, and by which settings.
#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    source: Source,
    /// Database, `sqlite:PATH` or `postgres://…`; wins over file and environment
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SeedUsers {
    #[command(flatten)]
    place: Place,
    /// So many users
    #[arg(value_name = "USERS", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    users: u32,
    /// Messages of each, questions and answers together
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
    messages: u32,
    /// Facts about each; the server keeps 200, and one may be left to be written
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=199))]
    facts: u32,
}

pub(crate) fn run(wish: &Wish) -> Result<ExitCode, Failure> {
    let runtime = Runtime::new().map_err(Failure::environment)?;
    runtime.block_on(async {
        match wish {
            Wish::CreateAdmin(wanted) => create_admin(wanted).await,
            Wish::RemoveSecondFactor(whose) => remove_second_factor(whose).await,
            Wish::SeedUsers(wanted) => seed_users(wanted).await,
        }
    })
}

async fn create_admin(wanted: &CreateAdmin) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&wanted.whose.place).await?;
    let email = &wanted.whose.email;
    let (user, told) = if let Some(user) = desk.accounts.promote(email).await.map_err(refused)? {
        (user, "is an administrator now; the password stays as it was")
    } else {
        let made = desk.accounts.create_admin(email, wanted.password()?).await.map_err(refused)?;
        (made, "was made, an administrator")
    };
    desk.note("create-admin", &user).await;
    output::warn(&format!("`{}` {told}", user.email));
    desk.close().await;
    Ok(ExitCode::Held)
}

async fn remove_second_factor(whose: &Whose) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&whose.place).await?;
    let removed = desk.accounts.remove_factor(&whose.email).await.map_err(refused)?;
    match removed {
        Some(user) => {
            desk.note("remove-second-factor", &user).await;
            output::warn(&format!("`{}` has no second factor any more", user.email));
        }
        None => output::warn(&format!("`{}` had no second factor", whose.email)),
    }
    desk.close().await;
    Ok(ExitCode::Held)
}

async fn seed_users(wanted: &SeedUsers) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&wanted.place).await?;
    if desk.config.auth.secret.expose_secret().is_empty() {
        return Err(Failure::usage(
            "`auth.secret` is not set, so no server would know the tokens\n  hint: set `JWT_SECRET` to what the server has",
        ));
    }
    let seeding = Seeding { users: wanted.users, messages: wanted.messages, facts: wanted.facts };
    let tokens = desk.accounts.seed(seeding, &desk.config.conversation).await.map_err(refused)?;
    desk.audit.record(Act::new(Actor::Operator, "seed-users", "ok")).await;
    output::print(&(tokens.join("\n") + "\n"));
    output::warn(&format!("{} users were made; above stands a token for each", tokens.len()));
    desk.close().await;
    Ok(ExitCode::Held)
}

impl CreateAdmin {
    /// Reads the password, never from the arguments: everybody on the machine can see those.
    fn password(&self) -> Result<SecretString, Failure> {
        let mut text = String::new();
        let read = if let Some(path) = &self.password_file {
            fs::File::open(path).and_then(|file| file.take(PASSWORD_BYTES_MAX).read_to_string(&mut text))
        } else {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                output::warn("type the password, which is shown, and end it with Enter and Ctrl-D");
            }
            stdin.take(PASSWORD_BYTES_MAX).read_to_string(&mut text)
        };
        let from = self
            .password_file
            .as_ref()
            .map_or("standard input".to_owned(), |path| format!("`{}`", path.display()));
        read.map_err(|error| Failure::usage(format_args!("cannot read the password from {from}: {error}")))?;
        Ok(text.trim_end_matches(['\r', '\n']).into())
    }
}

/// The accounts of a server that does not run, and their log.
struct Desk {
    config: Arc<Config>,
    database: Database,
    accounts: Accounts,
    audit: Audit,
}

impl Desk {
    async fn open(place: &Place) -> Result<Self, Failure> {
        let mut config: Config = place.source.load()?;
        if let Some(url) = &place.database {
            config.database.url = url.as_str().into();
        }
        let opened = Database::open(config.database.url.expose_secret(), config.database.connections).await;
        let database = opened.context("cannot open the database").map_err(Failure::environment)?;
        let clock = Arc::new(SystemClock::new());
        let parts = Parts::usual(config, clock, Arc::new(database.clone()));
        let accounts =
            Accounts::new(Arc::clone(&parts.storage), Arc::clone(&parts.clock), &parts.config.auth);
        Ok(Self { config: Arc::clone(&parts.config), database, accounts, audit: Audit::new(&parts) })
    }

    async fn note(&self, action: &str, user: &User) {
        self.audit.record(Act { subject: Some(user.id), ..Act::new(Actor::Operator, action, "ok") }).await;
    }

    async fn close(self) {
        self.database.close().await;
    }
}

/// Sorts what cannot be done by whose fault it is.
fn refused(error: AccountError) -> Failure {
    match error {
        AccountError::Invalid(_) | AccountError::Taken => Failure::usage(error),
        other => Failure::environment(other),
    }
}
