//! What is masked and what stays, as a corpus.

use proptest::prelude::*;

use super::*;

#[test]
fn personal_data_of_five_kinds_is_masked() {
    let corpus = [
        ("write to ann.lee+baby@mail.example.com please", "write to <email> please"),
        ("MAIL ME: Ann@Example.ORG.", "MAIL ME: <email>."),
        ("josé@correo.es", "<email>"),
        ("ann (at) example.com", "<email>"),
        ("call 415-555-0100", "call <phone>"),
        ("call (415) 555-0100 now", "call <phone> now"),
        ("+1 415 555 0100", "<phone>"),
        ("+34 612 34 56 78", "<phone>"),
        ("mon numéro est le 06 12 34 56 78", "mon numéro est le <phone>"),
        ("0049 30 1234567", "<phone>"),
        ("my cell is 4155550100", "my cell is <phone>"),
        ("415.555.0100", "<phone>"),
        ("555-0100", "<phone>"),
        ("ssn 078-05-1120", "ssn <ssn>"),
        ("078 05 1120", "<ssn>"),
        ("card 4111 1111 1111 1111", "card <card>"),
        ("4111-1111-1111-1111 12/28", "<card> 12/28"),
        ("378282246310005", "<card>"),
        ("MRN: 00123456", "MRN: <record>"),
        ("my medical record number is A-445566", "my medical record number is <record>"),
        ("patient id 998877", "patient id <record>"),
        ("expediente 4455667", "expediente <record>"),
        ("numéro de dossier: 778899", "numéro de dossier: <record>"),
    ];

    for (text, masked) in corpus {
        assert_eq!(mask(text), masked);
    }
}

#[test]
fn what_medicine_needs_stays() {
    let corpus = [
        "I am 22 weeks and 3 days, week 22+3",
        "blood pressure 120/80, before that 135/90 and 140/95",
        "120/80 130/85 125/82",
        "due on 2027-03-14, or 14/03/2027, or 03/14/2027 at 9:30",
        "the scan is on 12.05.2027",
        "600 mg ibuprofen, 0.4 mg folic acid, 1000 IU vitamin D",
        "glucose 95 mg/dL after 2 h, then 140",
        "temperature 38.5, 100.4 F",
        "heart rate 88, baby 150 bpm, weight 3.250 kg",
        "contractions every 5 minutes for 60 seconds since 14:35",
        "weights 61 62 63 64 kg in weeks 12 14 16 18",
        "hCG was 1,500 then 100.000 mIU",
        "I drink 2-3 litres, sleep 7-8 hours, 10 to 12 kicks in 2 hours",
        "G2P1, 1st trimester, 40 weeks in 2026",
        "semana 22, presión 110/70",
        "platelets 150 000 and ferritin 12",
        "at week 12, 16, 20, 24, 28",
    ];

    for text in corpus {
        assert_eq!(mask(text), text);
    }
}

proptest! {
    #[test]
    fn an_email_is_masked_wherever_it_stands(
        before in "[a-z ]{0,20}", name in "[a-z][a-z0-9.]{0,10}[a-z]", host in "[a-z]{2,10}", after in "[ ,!][a-z ]{0,20}",
    ) {
        let text = mask(format!("{before} {name}@{host}.com{after}"));

        prop_assert!(!text.contains('@'), "{}", text);
        prop_assert!(text.contains("<email>"));
    }

    #[test]
    fn cards_with_a_right_check_digit_are_masked(digits in proptest::collection::vec(0u32..10, 15)) {
        let last = (0..10).find(|last| has_check_digit(&[digits.as_slice(), &[*last]].concat())).unwrap();
        let card: String = digits.iter().chain([&last]).map(u32::to_string).collect();

        prop_assert_eq!(mask(&card), "<card>");
    }

    #[test]
    fn ten_digit_phones_are_masked(area in 200u32..999, middle in 200u32..999, last in 0u32..10_000) {
        for text in [format!("{area}-{middle}-{last:04}"), format!("({area}) {middle} {last:04}")] {
            prop_assert_eq!(mask(&text), "<phone>");
        }
    }

    #[test]
    fn masking_twice_changes_nothing(text in "\\PC{0,80}") {
        let once = mask(&text);

        prop_assert_eq!(mask(&once), once);
    }

    #[test]
    fn pressures_weeks_and_doses_stay(high in 80u32..200, low in 40u32..120, week in 1u32..43, dose in 1u32..2000) {
        let text = format!("week {week}: {high}/{low}, {dose} mg");

        prop_assert_eq!(mask(&text), text);
    }
}
