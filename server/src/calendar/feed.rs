//! A calendar as iCalendar (RFC 5545), for programs that fetch it by themselves.
//!
//! Each reminder is a VTODO: what is to be done and by when (`DUE`), how pressing (`PRIORITY`, 1 is most), whether it is
//! done (`STATUS`, `COMPLETED`), and an alarm at its time while it is not. Times are in UTC, so that no zone has to be
//! described. Texts are escaped (§3.3.11), lines folded at [`LINE_OCTETS`] between characters (§3.1).
//!
//! Invariant: pure, and the same for the same reminders: what has not changed is not new to a program. A text
//! cannot begin a line or a property of its own.

use jiff::Timestamp;

use crate::storage::{Priority, Reminder};

/// The media type of what is written.
pub const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";

/// Longest line, in octets, without its end (§3.1).
const LINE_OCTETS: usize = 75;

/// Who makes the calendar.
const PRODUCT: &str = "-//gauntlet//reminders//EN";

/// Writes a calendar of these reminders.
pub fn write(reminders: &[Reminder]) -> String {
    let mut lines = Lines::default();
    lines.add("BEGIN", "VCALENDAR");
    lines.add("VERSION", "2.0");
    lines.add("PRODID", PRODUCT);
    for reminder in reminders {
        todo(&mut lines, reminder);
    }
    lines.add("END", "VCALENDAR");
    lines.0
}

fn todo(lines: &mut Lines, reminder: &Reminder) {
    lines.add("BEGIN", "VTODO");
    lines.add("UID", &reminder.id.to_string());
    lines.add("DTSTAMP", &utc(reminder.updated_at));
    lines.add("CREATED", &utc(reminder.created_at));
    lines.add("LAST-MODIFIED", &utc(reminder.updated_at));
    lines.add("DUE", &utc(reminder.time));
    lines.add("SUMMARY", &escaped(&reminder.title));
    if !reminder.description.is_empty() {
        lines.add("DESCRIPTION", &escaped(&reminder.description));
    }
    lines.add("PRIORITY", number(reminder.priority));
    if reminder.is_completed {
        lines.add("STATUS", "COMPLETED");
        lines.add("COMPLETED", &utc(reminder.updated_at));
    } else {
        lines.add("STATUS", "NEEDS-ACTION");
        lines.add("BEGIN", "VALARM");
        lines.add("ACTION", "DISPLAY");
        lines.add("DESCRIPTION", &escaped(&reminder.title));
        lines.add("TRIGGER;RELATED=END", "PT0S");
        lines.add("END", "VALARM");
    }
    lines.add("END", "VTODO");
}

/// 1 is the most pressing, 5 the middle, 9 the least (§3.8.1.9).
const fn number(priority: Priority) -> &'static str {
    match priority {
        Priority::Urgent => "1",
        Priority::High => "3",
        Priority::Medium => "5",
        Priority::Low => "9",
    }
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Escapes what means something in a text, and leaves out controls, which no text may hold.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' | '\r' => escaped.push_str("\\n"),
            '\t' => escaped.push('\t'),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// Lines as they go over the wire.
#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Adds a property, on as many lines as it needs: each further one begins with a space.
    fn add(&mut self, name: &str, value: &str) {
        let mut octets = 0;
        for c in name.chars().chain([':']).chain(value.chars()) {
            if octets + c.len_utf8() > LINE_OCTETS {
                self.0.push_str("\r\n ");
                octets = 1;
            }
            self.0.push(c);
            octets += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ids::{ReminderId, UserId},
        storage::Origin,
    };

    fn reminder(title: &str, description: &str) -> Reminder {
        Reminder {
            id: ReminderId(uuid::Uuid::nil()),
            user: UserId(uuid::Uuid::nil()),
            title: title.to_owned(),
            description: description.to_owned(),
            time: Timestamp::from_second(1_800_000_000).unwrap(),
            offset_minutes: 60,
            is_completed: false,
            priority: Priority::Urgent,
            origin: Origin::User,
            suggestion: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_reminder_is_a_to_do_with_an_alarm_until_it_is_done_f150() {
        let open = reminder(
            "Midwife, 2nd floor",
            "Bring:\npapers; \\ the data of the last three weeks, as far as you know them",
        );
        let done = Reminder { is_completed: true, priority: Priority::Low, ..reminder("Cot", "") };

        insta::assert_snapshot!(write(&[open, done]).replace("\r\n", "\n"), @r"
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//gauntlet//reminders//EN
        BEGIN:VTODO
        UID:00000000-0000-0000-0000-000000000000
        DTSTAMP:19700101T000000Z
        CREATED:19700101T000000Z
        LAST-MODIFIED:19700101T000000Z
        DUE:20270115T080000Z
        SUMMARY:Midwife\, 2nd floor
        DESCRIPTION:Bring:\npapers\; \\ the data of the last three weeks\, as far a
         s you know them
        PRIORITY:1
        STATUS:NEEDS-ACTION
        BEGIN:VALARM
        ACTION:DISPLAY
        DESCRIPTION:Midwife\, 2nd floor
        TRIGGER;RELATED=END:PT0S
        END:VALARM
        END:VTODO
        BEGIN:VTODO
        UID:00000000-0000-0000-0000-000000000000
        DTSTAMP:19700101T000000Z
        CREATED:19700101T000000Z
        LAST-MODIFIED:19700101T000000Z
        DUE:20270115T080000Z
        SUMMARY:Cot
        PRIORITY:9
        STATUS:COMPLETED
        COMPLETED:19700101T000000Z
        END:VTODO
        END:VCALENDAR
        ");
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_property_and_no_line_is_too_long_f150(title in any::<String>(), text in "[\\PC\r\n\t;,\\\\:]{0,300}") {
            let written = write(&[reminder(&title, &text)]);

            let lines: Vec<_> = written.split("\r\n").collect();
            prop_assert!(lines.iter().all(|line| line.len() <= LINE_OCTETS && !line.contains(['\r', '\n'])));
            let unfolded = written.replace("\r\n ", "");
            let names: Vec<_> = unfolded.split("\r\n").filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
            let of = |name: &str| names.iter().filter(|found| **found == name).count();
            prop_assert_eq!((of("BEGIN"), of("END"), of("SUMMARY")), (3, 3, 1));
            prop_assert_eq!(names.len(), unfolded.split("\r\n").count() - 1, "each line is a property");
        }
    }
}
