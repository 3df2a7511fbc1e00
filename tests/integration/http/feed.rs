//! The feed of a calendar, read by a parser that is not ours.

use calcard::{
    Entry, Parser,
    common::IanaString as _,
    icalendar::{ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarValue},
};
use serde_json::json;

use super::start;

const TIME: &str = "2027-01-15T14:00:00+01:00";

/// Reads a feed with a parser that is not ours, and holds it to be one whole calendar. Its strict mode would refuse
/// whatever is nested.
fn read_calendar(text: &str) -> ICalendar {
    let mut parser = Parser::new(text);
    let Entry::ICalendar(calendar) = parser.entry() else { panic!("no calendar: {text}") };
    assert!(matches!(parser.entry(), Entry::Eof), "something behind the calendar: {text}");
    calendar
}

/// Returns the value of a property as text.
fn text_of(component: &ICalendarComponent, property: &ICalendarProperty) -> String {
    let entry = component.property(property).unwrap_or_else(|| panic!("no {property:?} in {component:?}"));
    match &entry.values[..] {
        [ICalendarValue::Text(text)] => text.clone(),
        [ICalendarValue::Integer(number)] => number.to_string(),
        [ICalendarValue::Status(status)] => status.as_str().to_owned(),
        [ICalendarValue::PartialDateTime(time)] => time.to_rfc3339().unwrap(),
        other => panic!("{property:?} is {other:?}"),
    }
}

#[tokio::test]
async fn a_feed_is_understood_by_another_parser_f150() {
    use ICalendarProperty::{Description, Due, Priority, Status, Summary};
    let title = "Midwife, 2nd floor; bring: a \\ and ünïcödé".repeat(4);
    let description = "BEGIN:VTODO\r\nSUMMARY:no\n\nthe end";
    let server = start().await;
    let ana = server.register("ana@a.org", "en").await;
    let form = json!({
        "title": title, "description": description, "reminder_time": TIME, "priority": "urgent",
    });
    server.post("/api/reminders", &ana, form).await;
    let (_, done) = server.post("/api/reminders", &ana, json!({"title": "Cot", "reminder_time": TIME})).await;
    let path = format!("/api/reminders/{}", done["id"].as_str().unwrap());
    server.put(&path, &ana, json!({"is_completed": true, "priority": "low"})).await;
    let (_, feed) = server.post("/api/users/me/calendar-feed", &ana, json!({})).await;
    let (_, text) = server.get(feed["path"].as_str().unwrap(), "").await;

    let calendar = read_calendar(text.as_str().unwrap());
    let is = |kind: ICalendarComponentType| {
        calendar.components.iter().filter(move |component| component.component_type == kind)
    };
    let todos: Vec<_> = is(ICalendarComponentType::VTodo).collect();
    let shown = |property| todos.iter().map(|todo| text_of(todo, property)).collect::<Vec<_>>();

    assert_eq!(shown(&Summary), [title.as_str(), "Cot"]);
    assert_eq!(shown(&Priority), ["1", "9"]);
    assert_eq!(shown(&Status), ["NEEDS-ACTION", "COMPLETED"]);
    assert_eq!(shown(&Due), ["2027-01-15T13:00:00Z"; 2]);
    assert_eq!(text_of(todos[0], &Description), description.replace("\r\n", "\n"));
    assert!(todos[1].property(&ICalendarProperty::Completed).is_some());
    assert_eq!(is(ICalendarComponentType::VAlarm).count(), 1, "what is done rings no more");
    server.stop().await;
}
