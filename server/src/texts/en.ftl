# English. A key is `message.attribute`; every key stands in every language file.

safety =
    .body = What you describe can be an emergency. Please call your emergency number or your doctor right now, or go to the nearest hospital. Do not wait for an answer here.
    .self_harm = You matter, and you do not have to be alone with this. Please call your emergency number or a crisis line right now, and tell somebody who is near you.

canned =
    .greeting = Hello! How are you and your baby today? You can ask me anything about your pregnancy.
    .thanks = You are very welcome. I am here whenever you need me.
    .goodbye = Goodbye, and take good care of yourself.

timeout =
    .pregnancy_question = Your question takes me longer than usual. Please try again in a moment, or put it in other words.
    .symptom_report = I could not answer in time. If your symptom worries you or gets worse, please call your doctor or midwife without waiting for me.
    .scheduling_related = I could not answer in time. Your calendar works as ever; please try again in a moment.
    .small_talk = I was too slow just now. Please write to me again.
    .unclear = I could not answer in time. Please try again in a moment, perhaps in other words.

circuit =
    .pregnancy_question = I have technical trouble and cannot answer questions for a few minutes. Please try again later.
    .symptom_report = I have technical trouble right now. If your symptom is urgent, please contact your doctor or midwife at once.
    .scheduling_related = I have technical trouble right now. Your calendar works as ever; please ask me again in a few minutes.
    .small_talk = I have technical trouble right now. Please write to me again in a few minutes.
    .unclear = I have technical trouble right now. Please try again in a few minutes.

overloaded =
    .pregnancy_question = Very many people are asking right now. Please ask your question again in a minute.
    .symptom_report = Very many people are asking right now and I cannot answer. If your symptom is urgent, please contact your doctor or midwife at once.
    .scheduling_related = Very many people are asking right now. Your calendar works as ever; please try again in a minute.
    .small_talk = Very many people are talking to me right now. Please write again in a minute.
    .unclear = Very many people are asking right now. Please try again in a minute.

rate_limited =
    .pregnancy_question = I have to slow down for a moment. Please ask your question again shortly.
    .symptom_report = I have to slow down for a moment and cannot answer. If your symptom is urgent, please contact your doctor or midwife at once.
    .scheduling_related = I have to slow down for a moment. Your calendar works as ever; please try again shortly.
    .small_talk = I have to slow down for a moment. Please write again shortly.
    .unclear = I have to slow down for a moment. Please try again shortly.

content_filter =
    .pregnancy_question = I may not answer this as it was asked. Please put your question in other words.
    .symptom_report = I may not answer this as it was written. If you feel unwell, please contact your doctor or midwife.
    .scheduling_related = I may not answer this as it was written. Please put it in other words.
    .small_talk = I may not answer this. Let us talk about your pregnancy.
    .unclear = I may not answer this as it was written. Please put it in other words.

budget =
    .pregnancy_question = I have answered you as much as I may for today. Please ask me again in { $hours } h.
    .symptom_report = I have answered you as much as I may for today, and can again in { $hours } h. Please do not wait for me: if your symptom worries you or gets worse, contact your doctor or midwife.
    .scheduling_related = I have answered you as much as I may for today. Your calendar works as ever; please ask me again in { $hours } h.
    .small_talk = We have talked as much as we may for today. Please write to me again in { $hours } h.
    .unclear = I have answered you as much as I may for today. Please ask me again in { $hours } h.

general =
    .pregnancy_question = I could not answer your question. Please try again in a moment.
    .symptom_report = I could not answer you. If your symptom worries you or gets worse, please contact your doctor or midwife at once.
    .scheduling_related = I could not answer you. Your calendar works as ever; please try again in a moment.
    .small_talk = Something went wrong on my side. Please write to me again.
    .unclear = Something went wrong on my side. Please try again in a moment.

error =
    .rate_limited = You are sending messages too quickly. Please wait { $seconds } seconds.
    .too_long = Your message is too long. Please keep it under { $limit } characters.
    .queue_full = I am still answering your earlier messages. Please wait for them.
    .bad_request = I could not read this message. Please send it again.
    .unknown_type = I do not know this kind of message. Please update your app.
    .shutting_down = I am about to restart. Please send your message again in a moment.
    .internal = Something went wrong on my side and your message was not stored. Please send it again.
    .not_stored = My answer could not be stored. Please ask again.
    .not_replaceable = That question was answered or asked again already.

notice =
    .interrupted = My answer was interrupted. Please ask again for a whole one.
    .unstored = I cannot keep this conversation right now: I answered without what you told me before, and will not remember this later.
    .ended = This conversation has ended. Your next message begins a new one.

consent =
    .needed = Before I can answer, I need your consent to send what you write to the provider of my language model. You can give it in this app under “Consents”, and take it back there at any time.
    .withdrawn = You have withdrawn your consent, and I have stopped here. Nothing more of what you write goes to the provider of my language model.
    .terms = I accept the terms of use: this service gives general information and no medical advice.
    .health_processing = I agree that what I write about my health and my pregnancy is stored and used to answer me.
    .ai_provider_transfer = I agree that what I write here, and what the service remembers of me, is sent to DeepSeek, a provider of language models in China, so that I get an answer. E-mail addresses, phone numbers and card numbers are masked before, as far as they are recognised.
    .analytics = I agree that it is counted how I use this service, without my words.

suggestion =
    .symptom_followup_title = Check on your symptom
    .symptom_followup_description = A reminder to see how you feel, proposed for { $when }. If you feel worse, do not wait for it: contact your doctor or midwife.
    .appointment_title = Appointment
    .appointment_description = An entry for the appointment that you mentioned, proposed for { $when }. Please set the time that you agreed on.
    .reminder_title = Reminder
    .reminder_description = You wrote: “{ $said }”. Proposed for { $when }. Please check the time, and change it if another one suits you better.

date =
    .moment = { $month } { $day } at { $time }
    .moment_of_year = { $month } { $day }, { $year } at { $time }
    .first = { $month } 1 at { $time }
    .first_of_year = { $month } 1, { $year } at { $time }
    .month_1 = January
    .month_2 = February
    .month_3 = March
    .month_4 = April
    .month_5 = May
    .month_6 = June
    .month_7 = July
    .month_8 = August
    .month_9 = September
    .month_10 = October
    .month_11 = November
    .month_12 = December
