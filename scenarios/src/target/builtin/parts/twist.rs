//! The ways in which the built-in store can be weakened.

/// How a storage is weakened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Twist {
    /// Not at all.
    None,
    /// A fact is written whatever version the writer had seen.
    LastWriterWins,
    /// Every hundredth write of a fact is acknowledged and not stored.
    AckWithoutStoring,
    /// A fact that has a value is never written again, though the writer is told so.
    FirstValueWins,
    /// A reply cannot be stored once its session is older than the idle limit.
    ExpiryCutsReplies,
    /// The part of an answer that was shown before the model failed is stored as an answer.
    TorsoAsAnswer,
    /// A reminder is made without confirming its suggestion.
    ConfirmedManyTimes,
    /// A reminder that confirms a suggestion is acknowledged, and gone.
    ReminderForgotten,
    /// A dismissal is acknowledged, and the suggestion stays open.
    DismissalForgotten,
    /// A suggestion can be confirmed ten minutes longer than it should.
    LateConfirmation,
    /// A suggestion that was confirmed is told as gone.
    UsedIsGone,
    /// Whose suggestion it is does not matter.
    AnybodyConfirms,
    /// One read in four of a fact brings an old version.
    StaleReads,
    /// One read in four of a fact finds nothing.
    GoneNowAndThen,
    /// A read of a fact brings another one of the same user.
    NeighboursFact,
    /// A read of a fact brings what was written last under its key, by whomever.
    AnybodysFact,
    /// What the user wrote by hand has the rank of what was found in chat.
    RankForgotten,
    /// A week of pregnancy stays what it was stated to be.
    WeekStandsStill,
    /// A fact that is stated again keeps the life that it had.
    RenewalForgotten,
    /// A fact that is deleted is said to be gone, and stays.
    DeletionForgotten,
    /// The facts for the prompt are those of the first time.
    FrozenFacts,
    /// The history of a fact begins with its second version.
    HistoryCut,
    /// The prompt holds what anybody said.
    ContextOfAll,
    /// Everybody's conversation is the one that was begun last.
    SessionOfTheLast,
    /// A message that is to follow the last one that its server knows is said to, whoever has stored others meanwhile.
    AnyPlaceIsNext,
    /// While the database is out of reach or full, writes are said to be done.
    SaysYes,
    /// The database is said to answer, whether it does or not.
    ReadyWhatever,
    /// Whoever cannot be looked up is nobody.
    NobodyWhileAway,
    /// The end of a session is acknowledged, and the session goes on.
    NeverEnds,
    /// Facts that have ended are never deleted.
    NothingPurged,
    /// The deletion of a session is acknowledged, and all of it stays.
    SessionKept,
    /// A refresh token that was used is taken for the one that followed.
    UsedTokenIsGood,
    /// A log-out is acknowledged, and the device stays logged in.
    LogoutForgotten,
    /// A ticket opens as many sockets as one likes.
    TicketIsAKey,
    /// Whoever was an administrator once is one for ever.
    RoleOfTheFirstTime,
    /// An API key opens everything.
    KeyOpensAll,
    /// An API key never ends.
    KeyForEver,
    /// Log-ins that were refused are not kept in the audit log.
    RefusalsUnaudited,
    /// What is made by a standing wish is not kept in the audit log.
    PolicyUnaudited,
    /// A block is said to be lifted, and stays.
    LiftedBlockStays,
    /// What users say is written to the log.
    TellsTheLog,
    /// Everybody lives by universal time.
    EverybodyInUtc,
    /// No hours are quiet.
    NeverQuiet,
    /// No proposal is moved for another entry.
    NothingElseThere,
    /// Preferences are written over whatever is stored.
    ChoicesOverAny,
    /// Whatever is proposed is a thing to think of, of low priority.
    EverythingIsATrifle,
    /// Everybody is taken to wish that reminders are made unasked.
    MadeUnasked,
    /// A time is taken for confirmed, whatever the user has said.
    AnyTimeIsConfirmed,
    /// A rollback takes all reminders.
    RollsBackAll,
    /// Reminders that are due at one moment are listed the last one first.
    LastMadeFirst,
    /// What is deleted cannot be brought back.
    DeletedForGood,
    /// A request with a key is done as often as it comes.
    KeysForgotten,
    /// The address of a feed stays good when there is another one.
    OldFeedsStay,
    /// Languages and texts are those of the first reading.
    LanguagesReadOnce,
    /// Words of administrators are those of the first reading.
    WordsReadOnce,
    /// The glossary of every language is taken for the English one.
    GlossaryOfAll,
    /// An import of a glossary is acknowledged, and nothing is stored.
    ImportForgotten,
    /// A word that is removed is said to be gone, and stays.
    RemovedWordStays,
    /// A row of a language that cannot be used takes all other rows with it.
    BrokenRowEmpties,
    /// Whoever adds a language is told that it was not there.
    LanguageAddedAgain,
    /// Whoever is spoken to in another language prefers that one from then on.
    FallbackBecomesPreference,
    /// A user's language is the one of the first look.
    PreferenceReadOnce,
    /// One administrator is enough for any text.
    OneApprovalIsEnough,
    /// What the model translates is shown at once.
    DraftsGoLive,
    /// What the model is paid for a translation is forgotten.
    DraftsCostNothing,
    /// What is asked again stands beside what it should replace.
    ReplacedStays,
    /// What was spent on one day counts on all that follow.
    EndlessDay,
    /// Whoever was never asked has agreed.
    SilenceIsConsent,
    /// A consent that is withdrawn is told as one in force.
    OnceGivenIsGiven,
    /// What was withdrawn leaves no trace.
    ProofGoesWithConsent,
}

/// All of them, by the names that sabotages use.
pub(super) const TWISTS: &[(&str, Twist)] = &[
    ("last-writer-wins", Twist::LastWriterWins),
    ("ack-without-storing", Twist::AckWithoutStoring),
    ("first-value-wins", Twist::FirstValueWins),
    ("expiry-cuts-replies", Twist::ExpiryCutsReplies),
    ("torso-as-answer", Twist::TorsoAsAnswer),
    ("confirmed-many-times", Twist::ConfirmedManyTimes),
    ("reminder-forgotten", Twist::ReminderForgotten),
    ("dismissal-forgotten", Twist::DismissalForgotten),
    ("late-confirmation", Twist::LateConfirmation),
    ("used-is-gone", Twist::UsedIsGone),
    ("anybody-confirms", Twist::AnybodyConfirms),
    ("stale-reads", Twist::StaleReads),
    ("gone-now-and-then", Twist::GoneNowAndThen),
    ("neighbours-fact", Twist::NeighboursFact),
    ("anybodys-fact", Twist::AnybodysFact),
    ("rank-forgotten", Twist::RankForgotten),
    ("week-stands-still", Twist::WeekStandsStill),
    ("renewal-forgotten", Twist::RenewalForgotten),
    ("deletion-forgotten", Twist::DeletionForgotten),
    ("frozen-facts", Twist::FrozenFacts),
    ("history-cut", Twist::HistoryCut),
    ("context-of-all", Twist::ContextOfAll),
    ("session-of-the-last", Twist::SessionOfTheLast),
    ("any-place-is-next", Twist::AnyPlaceIsNext),
    ("says-yes-while-away", Twist::SaysYes),
    ("ready-whatever-happens", Twist::ReadyWhatever),
    ("nobody-while-away", Twist::NobodyWhileAway),
    ("never-ends", Twist::NeverEnds),
    ("nothing-purged", Twist::NothingPurged),
    ("session-kept", Twist::SessionKept),
    ("used-token-is-good", Twist::UsedTokenIsGood),
    ("logout-forgotten", Twist::LogoutForgotten),
    ("ticket-is-a-key", Twist::TicketIsAKey),
    ("role-of-the-first-time", Twist::RoleOfTheFirstTime),
    ("key-opens-all", Twist::KeyOpensAll),
    ("key-for-ever", Twist::KeyForEver),
    ("refusals-unaudited", Twist::RefusalsUnaudited),
    ("policy-unaudited", Twist::PolicyUnaudited),
    ("lifted-block-stays", Twist::LiftedBlockStays),
    ("tells-the-log", Twist::TellsTheLog),
    ("everybody-in-utc", Twist::EverybodyInUtc),
    ("never-quiet", Twist::NeverQuiet),
    ("nothing-else-there", Twist::NothingElseThere),
    ("choices-over-any", Twist::ChoicesOverAny),
    ("everything-is-a-trifle", Twist::EverythingIsATrifle),
    ("made-unasked", Twist::MadeUnasked),
    ("any-time-is-confirmed", Twist::AnyTimeIsConfirmed),
    ("rolls-back-all", Twist::RollsBackAll),
    ("last-made-first", Twist::LastMadeFirst),
    ("deleted-for-good", Twist::DeletedForGood),
    ("keys-forgotten", Twist::KeysForgotten),
    ("old-feeds-stay", Twist::OldFeedsStay),
    ("languages-read-once", Twist::LanguagesReadOnce),
    ("words-read-once", Twist::WordsReadOnce),
    ("glossary-of-all", Twist::GlossaryOfAll),
    ("import-forgotten", Twist::ImportForgotten),
    ("removed-word-stays", Twist::RemovedWordStays),
    ("broken-row-empties-the-table", Twist::BrokenRowEmpties),
    ("language-added-again", Twist::LanguageAddedAgain),
    ("fallback-becomes-preference", Twist::FallbackBecomesPreference),
    ("preference-read-once", Twist::PreferenceReadOnce),
    ("one-approval-is-enough", Twist::OneApprovalIsEnough),
    ("drafts-go-live", Twist::DraftsGoLive),
    ("drafts-cost-nothing", Twist::DraftsCostNothing),
    ("replaced-stays", Twist::ReplacedStays),
    ("endless-day", Twist::EndlessDay),
    ("silence-is-consent", Twist::SilenceIsConsent),
    ("once-given-is-given", Twist::OnceGivenIsGiven),
    ("proof-goes-with-consent", Twist::ProofGoesWithConsent),
];

impl Twist {
    /// Returns the twist of this name; none when the name is of another part.
    pub(in super::super) fn named(part: Option<&str>) -> Self {
        let row = TWISTS.iter().find(|(name, _)| Some(*name) == part);
        row.map_or(Self::None, |(_, twist)| *twist)
    }
}
