//! The word lists of the classifier, one per language, as data.
//!
//! Words are folded (lower case, no diacritics, no apostrophes); `_` joins a phrase; `*` ends a stem;
//! the number before a colon is the weight.

/// The lists of one language.
#[derive(Debug)]
pub(super) struct WordList {
    pub(super) language: &'static str,
    /// Frequent small words by which the language is known.
    pub(super) common: &'static str,
    pub(super) symptom: &'static str,
    pub(super) scheduling: &'static str,
    pub(super) pregnancy: &'static str,
    pub(super) greeting: &'static str,
    pub(super) thanks: &'static str,
    pub(super) goodbye: &'static str,
    /// Words that may stand beside small talk.
    pub(super) filler: &'static str,
}

pub(super) const LISTS: [WordList; 3] = [EN, ES, FR];

const EN: WordList = WordList {
    language: "en",
    common: "i im ive my is are am the a an and or of to for with what when how can should do does have has \
             it this that me you need feel want there was will not at on in your his her be been get",
    symptom: "2:pain 2:pains 2:painful 2:hurt* 2:ache* 2:aching 2:headache* 2:migraine* 2:nause* 2:vomit* \
              2:throwing_up 2:dizz* 2:bleed* 2:spotting 2:cramp* 2:swollen 2:swelling 2:fever 2:heartburn \
              2:itch* 2:rash 2:tired 2:exhausted 1:fatigue* 2:constipat* 2:diarrh* 2:sore 2:cough* 2:have_a_cold 2:got_a_cold 2:runny 2:tender 2:out_of_breath 2:burns 2:faint* \
              2:contraction* 2:burning 2:discharge 1:weak 2:numb* 1:insomnia 2:cant_sleep 1:feel_sick \
              2:sick 2:morning_sickness 2:backache 1:worse 1:since_yesterday 2:my_back 2:palpitation* \
              1:blurr* 2:short_of_breath 1:symptom* 2:sleep_badly 2:cant_breathe 2:flu",
    scheduling: "3:appointment* 3:schedul* 3:reminder* 3:remind* 2:book 2:calendar 3:reschedul* 2:cancel* \
                 1:tomorrow 1:next_week 1:monday 1:tuesday 1:wednesday 1:thursday 1:friday 1:saturday \
                 1:sunday 2:checkup* 2:check_up 1:visit 2:notify 2:wake_me 2:alarm 2:let_me_know 2:see_the_doctor 2:dont_forget 2:what_time 1:clinic 1:oclock 1:ultrasound_date 2:set_up 1:plan",
    pregnancy: "2:pregnan* 1:baby 1:babys 2:trimester* 1:week 1:weeks 2:fetus 2:fetal 2:due_date 1:vitamin* \
                2:folic 1:safe 1:eat 1:eating 1:food* 1:diet 1:drink 1:exercise* 2:labor 2:labour 2:birth \
                2:breastfe* 2:ultrasound 1:kick* 1:weight 1:gain 2:prenatal 1:caffeine 1:coffee 1:alcohol \
                1:fish 1:cheese 1:sushi 1:develop* 1:normal 1:sleep_position 1:sex 1:travel 1:fly 1:iron \
                1:hospital_bag 1:bath 1:lift 1:allowed 1:may_i 1:can_i 1:month 1:months 1:placenta 1:womb 1:babies 1:swim* 1:water 1:eggs 1:meat 1:milk 1:hair 2:childbirth 2:gestation* 2:c_section 2:cesarean 1:midwife 2:epidural 1:newborn 1:names 1:yoga 1:sport",
    greeting: "hi hello hey hiya good_morning good_afternoon good_evening howdy greetings how_are_you whats_up",
    thanks: "thanks thank_you thx ty much_appreciated appreciate_it",
    goodbye: "bye goodbye good_night have_a_good have_a_nice see_you see_ya take_care later farewell",
    filler: "there you so very much again everyone all well today to a lot nice meet ok okay great good is it \
             for your the help my friend have day evening dear and now then how are doing",
};

const ES: WordList = WordList {
    language: "es",
    common: "a el la los las un una de del que y en es mi me tengo estoy puedo debo como cuando para por con no \
             se lo al esta muy hay donde cual mucho hoy siento soy quiero mis necesito desde ayer tu su",
    symptom: "2:dolor* 2:duele* 2:nause* 2:vomit* 2:mareo* 2:mareada 2:sangr* 2:calambre* 2:hinchad* \
              2:hinchaz* 2:fiebre 2:acidez 2:picor 2:picazon 2:cansad* 2:cansancio 1:fatiga 2:estrenimiento \
              2:diarrea 2:estrenid* 2:tos 2:resfriad* 2:agotad* 2:entumecid* 2:hormigue* 2:pica 2:pican 2:duermo_mal \
              2:no_duermo 2:gripe 2:mareos 2:contraccion* 2:ardor 2:flujo 2:migrana* 2:debil* 1:insomnio 2:me_siento_mal \
              1:peor 2:molest* 2:desmay* 2:palpitacion* 1:sintoma* 2:no_puedo_dormir 2:enferma",
    scheduling: "3:cita* 2:avisa* 2:anota* 2:apunta* 3:alarma 2:a_que_hora 1:fecha 3:agendar 3:agenda 3:programar 3:recordatorio* 3:recuerd* 3:recordar* 2:reservar \
                 2:calendario 2:cancelar 2:reprogramar 1:manana 1:lunes 1:martes 1:miercoles 1:jueves \
                 1:viernes 1:sabado 1:domingo 1:proxima_semana 2:revision 1:consulta 2:turno",
    pregnancy: "2:embaraz* 1:bebe 2:trimestre* 1:semana 1:semanas 2:feto 2:fetal 1:vitamina* 2:folico \
                1:seguro 1:comer 1:comida* 1:dieta 1:beber 1:tomar 1:ejercicio* 2:parto 2:lactancia 2:amamant* \
                2:ecografia 1:patad* 1:peso 2:prenatal* 1:cafeina 1:cafe 1:alcohol 1:pescado 1:queso \
                1:normal 1:desarrollo 1:viajar 1:hierro 2:cesarea 1:matrona 2:epidural 1:nombres 1:yoga 1:nacer 2:nacimiento 1:bano 1:mes 1:meses 1:placenta 1:bebes 1:nadar 1:agua 1:huevos 1:carne 1:leche 1:pelo 1:puedo",
    greeting: "hola buenas buenos_dias buenas_tardes buenas_noches que_tal saludos como_estas",
    thanks: "gracias muchas_gracias mil_gracias agradecida",
    goodbye: "adios hasta_luego hasta_pronto chao hasta_manana nos_vemos buena_noche buen_dia buena_tarde",
    filler: "muy bien y tu a todos de nuevo por todo la ayuda tu su amiga dias tardes noches estas ok vale si \
             es genial que usted muchas mil tengas buena noche dia tarde",
};

const FR: WordList = WordList {
    language: "fr",
    common: "a le la les un une des du de je j ai suis est mon ma mes que quoi et ou en pour avec pas ne au aux \
             puis dois comment quand il elle ce c qu sur dans tres cette depuis peux mal veux faut l d",
    symptom: "2:mal 2:maux 2:douleur* 2:nause* 2:vomi* 2:vertige* 2:saign* 2:crampe* 2:gonfl* 2:fievre \
              2:brulure* 2:demange* 2:fatigue* 1:epuise* 2:constip* 2:diarrhee 2:contraction* 2:pertes \
              2:migraine* 2:faible* 1:insomnie* 1:pire 2:evanoui* 2:palpitation* 1:symptome* 2:malade \
              2:ne_dors_pas 2:dors_mal 2:dors_tres_mal 2:toux 2:tousse 2:rhume 2:grippe 2:engourdi* 2:fourmis 2:epuisee \
              2:douloureu*",
    scheduling: "3:rendez_vous 3:rdv 2:previens 2:note 2:alarme 2:a_quelle_heure 1:date 3:planifier 3:programmer 3:rappel* 3:rappelle* 2:reserver 2:calendrier \
                 2:annuler 2:reporter 2:agenda 1:demain 1:lundi 1:mardi 1:mercredi 1:jeudi 1:vendredi \
                 1:samedi 1:dimanche 1:semaine_prochaine 1:consultation 2:prendre_date",
    pregnancy: "2:enceinte 2:grossesse* 1:bebe 2:trimestre* 1:semaine 1:semaines 2:foetus 1:vitamine* \
                2:folique 1:manger 1:nourriture 1:aliment* 1:regime 1:boire 1:exercice* 1:sport 2:accouche* \
                2:allait* 2:echographie* 1:poids 2:prenatal* 1:cafeine 1:cafe 1:alcool 1:poisson 1:fromage \
                1:normal 1:developp* 1:voyager 1:fer 2:cesarienne 2:peridurale 1:prenoms 1:yoga 2:naissance 1:sain 1:bain 1:mois 1:placenta 1:bebes 1:nager 1:natation 1:eau 1:oeufs 1:viande 1:lait 1:cheveux 1:puis_je",
    greeting: "bonjour salut bonsoir coucou comment_ca_va ca_va",
    thanks: "merci merci_beaucoup",
    goodbye: "au_revoir a_bientot bonne_journee bonne_soiree bonne_nuit a_demain a_plus",
    filler: "bien et toi vous beaucoup tout le monde encore pour l aide votre ton ma cher chere tres ok oui va \
             bonne journee soiree nuit",
};
