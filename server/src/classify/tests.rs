//! A labelled corpus.

use super::*;

fn intent(message: &str, language: &str) -> Intent {
    classify(message, language, None).intent
}

fn check(language: &str, wanted: Intent, messages: &str) -> usize {
    let wrong: Vec<_> = messages
        .lines()
        .map(str::trim)
        .filter(|message| !message.is_empty())
        .filter(|message| intent(message, language) != wanted)
        .map(|message| (message, intent(message, language)))
        .collect();
    assert!(wrong.is_empty(), "{language}: not {wanted:?}: {wrong:?}");
    messages.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn the_corpus_holds_enough_cases_and_all_are_right() {
    let mut cases = 0;
    for (language, wanted, messages) in CORPUS {
        cases += check(language, *wanted, messages);
    }
    assert!(cases >= 150, "only {cases} cases");
}

#[test]
fn a_sign_of_an_emergency_makes_a_symptom_report() {
    let meaning = classify("hello", "en", Some(&RedFlag { sign: "bleeding" }));

    assert_eq!(meaning.intent, Intent::SymptomReport);
}

#[test]
fn the_heavier_intent_wins_wherever_it_stands() {
    assert_eq!(intent("Hi! I have a headache", "en"), Intent::SymptomReport);
    assert_eq!(
        intent("can you remind me about my appointment, the pain is better", "en"),
        Intent::SchedulingRelated
    );
    assert_eq!(intent("thanks, is fish safe to eat?", "en"), Intent::PregnancyQuestion);
}

#[test]
fn bread_is_no_symptom_in_french() {
    assert_eq!(intent("je peux manger du pain ?", "fr"), Intent::PregnancyQuestion);
}

#[test]
fn confidence_grows_with_the_evidence_and_is_low_without() {
    let of = |message| classify(message, "en", None).confidence;

    assert!(of("headache and nausea and cramps") > of("a headache"));
    assert!(of("headache") >= 0.75);
    assert!((of("hmm") - 0.3).abs() < 1e-9);
    assert!((of("") - 0.1).abs() < 1e-9);
    assert!(of(&"headache nausea cramps fever dizzy vomiting ".repeat(9)) <= 0.95);
}

#[test]
fn each_kind_of_small_talk_is_told_apart() {
    let kind = |message| classify(message, "en", None).small_talk;

    assert_eq!(kind("good morning!"), Some(SmallTalk::Greeting));
    assert_eq!(kind("merci beaucoup"), Some(SmallTalk::Thanks));
    assert_eq!(kind("hasta luego"), Some(SmallTalk::Goodbye));
    assert_eq!(kind("hello doctor who"), None);
}

const CORPUS: &[(&str, Intent, &str)] = &[
    (
        "en",
        Intent::SmallTalk,
        "hello
        Hi
        hey there
        Hello!!
        good morning
        Good evening
        hi, how are you?
        thanks
        thank you so much
        Thanks a lot!
        thx
        bye
        goodbye
        good night
        see you later
        take care
        hola
        merci
        bonjour",
    ),
    (
        "es",
        Intent::SmallTalk,
        "hola
        ¡Hola! ¿Qué tal?
        buenos días
        buenas tardes
        gracias
        muchas gracias
        gracias por todo
        adiós
        hasta luego
        hasta mañana
        nos vemos
        hello",
    ),
    (
        "fr",
        Intent::SmallTalk,
        "bonjour
        salut
        bonsoir
        coucou
        merci
        merci beaucoup
        au revoir
        à bientôt
        bonne nuit
        ça va ?
        Bonjour, ça va bien ?
        hello",
    ),
    (
        "en",
        Intent::SymptomReport,
        "I have a headache
        my back hurts
        I feel nausea every morning
        I'm throwing up all day
        I have cramps in my legs
        my ankles are swollen
        I feel dizzy when I stand up
        I have heartburn after dinner
        there is some spotting
        I'm so tired
        I have a rash on my belly
        painful contractions since this morning
        I can't sleep and my hips ache
        Hi, my stomach hurts
        I feel sick
        is it normal that my back is aching and sore
        I am bleeding
        burning when I pee
        I have a fever
        constipated for three days
        my baby bump itches",
    ),
    (
        "es",
        Intent::SymptomReport,
        "tengo dolor de cabeza
        me duele la espalda
        tengo náuseas por la mañana
        estoy mareada
        vomito todo el día
        tengo los pies hinchados
        siento calambres en las piernas
        tengo acidez
        estoy muy cansada
        tengo fiebre
        me pica la barriga, tengo picazón
        hola, me duele el vientre
        tengo contracciones
        estoy sangrando
        me siento mal desde ayer
        tengo ardor al orinar",
    ),
    (
        "fr",
        Intent::SymptomReport,
        "j'ai mal à la tête
        j'ai mal au dos
        j'ai des nausées le matin
        j'ai des vertiges
        je vomis toute la journée
        mes pieds sont gonflés
        j'ai des crampes
        j'ai des brûlures d'estomac
        je suis très fatiguée
        j'ai de la fièvre
        bonjour, j'ai une douleur au ventre
        j'ai des contractions
        je saigne
        ça me démange, j'ai des démangeaisons
        je suis malade depuis hier",
    ),
    (
        "en",
        Intent::SchedulingRelated,
        "book an appointment for me
        can you schedule a checkup
        when is my next appointment
        remind me to take my vitamins
        set a reminder for Monday
        I need to reschedule my visit
        cancel my appointment tomorrow
        add it to my calendar
        please remind me tomorrow
        can I book a visit next week
        schedule an ultrasound
        hello, I want an appointment",
    ),
    (
        "es",
        Intent::SchedulingRelated,
        "quiero una cita
        necesito agendar una cita
        ¿cuándo es mi próxima cita?
        recuérdame tomar las vitaminas
        pon un recordatorio para el lunes
        cancelar mi cita de mañana
        reservar una consulta
        hola, quiero programar una revisión
        añádelo al calendario
        necesito un turno para el viernes",
    ),
    (
        "fr",
        Intent::SchedulingRelated,
        "je veux prendre rendez-vous
        quand est mon prochain rendez-vous ?
        rappelle-moi de prendre mes vitamines
        un rappel pour lundi
        annuler mon rendez-vous de demain
        je voudrais planifier une échographie
        réserver une consultation
        bonjour, je veux un rdv
        ajoute-le à mon agenda
        il faut reporter mon rdv",
    ),
    (
        "en",
        Intent::PregnancyQuestion,
        "is it safe to eat sushi?
        how big is my baby at week 20?
        what vitamins do I need
        can I drink coffee
        when does the second trimester begin
        how much weight should I gain
        what happens in week 12
        is cheese okay during pregnancy
        when will I feel kicks
        can I fly at 30 weeks
        what is an epidural
        how do I prepare for labor
        should I take folic acid
        what to pack in the hospital bag
        I am 22 weeks pregnant
        I am pregnant
        is exercise safe
        how does the baby develop
        tell me about breastfeeding
        hello, can I eat fish?",
    ),
    (
        "es",
        Intent::PregnancyQuestion,
        "¿puedo comer pescado?
        ¿cómo crece mi bebé en la semana 20?
        ¿qué vitaminas necesito?
        ¿puedo tomar café?
        ¿cuándo empieza el segundo trimestre?
        ¿es seguro hacer ejercicio?
        estoy embarazada
        ¿qué es la epidural?
        cómo prepararme para el parto
        ¿debo tomar ácido fólico?
        hola, ¿es normal en el embarazo?
        ¿cuánto peso debo ganar?
        estoy de 22 semanas
        háblame de la lactancia",
    ),
    (
        "fr",
        Intent::PregnancyQuestion,
        "puis-je manger du poisson ?
        comment grandit mon bébé à la semaine 20 ?
        quelles vitamines dois-je prendre ?
        je peux boire du café ?
        quand commence le deuxième trimestre ?
        est-ce que le sport est sain ?
        je suis enceinte
        c'est quoi la péridurale ?
        comment préparer l'accouchement
        bonjour, le fromage pendant la grossesse ?
        combien de poids dois-je prendre ?
        je suis à 22 semaines
        parle-moi de l'allaitement",
    ),
    (
        "en",
        Intent::Unclear,
        "hmm
        asdf
        what
        the thing from before
        my husband is a teacher
        42
        ???
        tell me more",
    ),
    (
        "es",
        Intent::Unclear,
        "eh
        no sé
        mi marido es profesor
        lo de antes",
    ),
    (
        "fr",
        Intent::Unclear,
        "euh
        je ne sais pas
        mon mari est professeur
        celui d'avant",
    ),
];
