# Spanish. A key is `message.attribute`; every key stands in every language file.

safety =
    .body = Lo que describes puede ser una emergencia. Por favor, llama ahora mismo al número de emergencias o a tu médico, o ve al hospital más cercano. No esperes una respuesta aquí.
    .self_harm = Tu vida importa y no tienes que pasar por esto a solas. Por favor, llama ahora mismo al número de emergencias o a una línea de ayuda, y díselo a alguien que esté cerca.

canned =
    .greeting = ¡Hola! ¿Cómo están tú y tu bebé hoy? Puedes preguntarme lo que quieras sobre tu embarazo.
    .thanks = De nada. Aquí estoy siempre que me necesites.
    .goodbye = Hasta pronto, y cuídate mucho.

timeout =
    .pregnancy_question = Tu pregunta me lleva más tiempo de lo normal. Inténtalo de nuevo en un momento o dila con otras palabras.
    .symptom_report = No he podido responder a tiempo. Si el síntoma te preocupa o empeora, llama a tu médico o matrona sin esperarme.
    .scheduling_related = No he podido responder a tiempo. Tu calendario funciona como siempre; inténtalo de nuevo en un momento.
    .small_talk = He tardado demasiado. Escríbeme otra vez, por favor.
    .unclear = No he podido responder a tiempo. Inténtalo de nuevo en un momento, quizá con otras palabras.

circuit =
    .pregnancy_question = Tengo problemas técnicos y no puedo responder preguntas durante unos minutos. Inténtalo más tarde.
    .symptom_report = Tengo problemas técnicos en este momento. Si tu síntoma es urgente, contacta enseguida con tu médico o matrona.
    .scheduling_related = Tengo problemas técnicos en este momento. Tu calendario funciona como siempre; pregúntame de nuevo en unos minutos.
    .small_talk = Tengo problemas técnicos en este momento. Escríbeme de nuevo en unos minutos.
    .unclear = Tengo problemas técnicos en este momento. Inténtalo de nuevo en unos minutos.

overloaded =
    .pregnancy_question = Ahora mismo pregunta muchísima gente. Repite tu pregunta dentro de un minuto.
    .symptom_report = Ahora mismo pregunta muchísima gente y no puedo responder. Si tu síntoma es urgente, contacta enseguida con tu médico o matrona.
    .scheduling_related = Ahora mismo pregunta muchísima gente. Tu calendario funciona como siempre; inténtalo dentro de un minuto.
    .small_talk = Ahora mismo me escribe muchísima gente. Escríbeme dentro de un minuto.
    .unclear = Ahora mismo pregunta muchísima gente. Inténtalo dentro de un minuto.

rate_limited =
    .pregnancy_question = Tengo que ir más despacio un momento. Repite tu pregunta enseguida.
    .symptom_report = Tengo que ir más despacio un momento y no puedo responder. Si tu síntoma es urgente, contacta enseguida con tu médico o matrona.
    .scheduling_related = Tengo que ir más despacio un momento. Tu calendario funciona como siempre; inténtalo enseguida.
    .small_talk = Tengo que ir más despacio un momento. Escríbeme enseguida otra vez.
    .unclear = Tengo que ir más despacio un momento. Inténtalo enseguida otra vez.

content_filter =
    .pregnancy_question = No puedo responder a esto tal como está. Pregúntalo con otras palabras, por favor.
    .symptom_report = No puedo responder a esto tal como está. Si te encuentras mal, contacta con tu médico o matrona.
    .scheduling_related = No puedo responder a esto tal como está. Dilo con otras palabras, por favor.
    .small_talk = No puedo responder a esto. Hablemos de tu embarazo.
    .unclear = No puedo responder a esto tal como está escrito. Dilo con otras palabras, por favor.

budget =
    .pregnancy_question = Hoy ya te he respondido todo lo que puedo. Pregúntame otra vez dentro de { $hours } h, por favor.
    .symptom_report = Hoy ya te he respondido todo lo que puedo; podré de nuevo dentro de { $hours } h. No me esperes: si tu síntoma te preocupa o empeora, llama a tu médico o a tu matrona.
    .scheduling_related = Hoy ya te he respondido todo lo que puedo. Tu calendario funciona como siempre; pregúntame otra vez dentro de { $hours } h, por favor.
    .small_talk = Hoy ya hemos hablado todo lo que podemos. Escríbeme otra vez dentro de { $hours } h, por favor.
    .unclear = Hoy ya te he respondido todo lo que puedo. Pregúntame otra vez dentro de { $hours } h, por favor.

general =
    .pregnancy_question = No he podido responder a tu pregunta. Inténtalo de nuevo en un momento.
    .symptom_report = No he podido responderte. Si el síntoma te preocupa o empeora, contacta enseguida con tu médico o matrona.
    .scheduling_related = No he podido responderte. Tu calendario funciona como siempre; inténtalo de nuevo en un momento.
    .small_talk = Algo ha fallado por mi parte. Escríbeme otra vez, por favor.
    .unclear = Algo ha fallado por mi parte. Inténtalo de nuevo en un momento.

error =
    .rate_limited = Envías mensajes demasiado deprisa. Espera { $seconds } segundos, por favor.
    .too_long = Tu mensaje es demasiado largo. Escribe menos de { $limit } caracteres, por favor.
    .queue_full = Todavía estoy respondiendo a tus mensajes anteriores. Espera a que termine, por favor.
    .bad_request = No he podido leer este mensaje. Envíalo otra vez, por favor.
    .unknown_type = No conozco este tipo de mensaje. Actualiza tu aplicación, por favor.
    .shutting_down = Estoy a punto de reiniciarme. Envía tu mensaje de nuevo en un momento.
    .internal = Algo ha fallado por mi parte y tu mensaje no se ha guardado. Envíalo otra vez, por favor.
    .not_stored = Mi respuesta no se ha podido guardar. Pregunta otra vez, por favor.
    .not_replaceable = Esa pregunta ya tiene respuesta o ya se ha repetido.

notice =
    .interrupted = Mi respuesta se ha interrumpido. Pregunta otra vez para recibirla entera.
    .unstored = Ahora mismo no puedo guardar esta conversación: he respondido sin lo que me contaste antes y no recordaré esto más tarde.
    .ended = Esta conversación ha terminado. Tu próximo mensaje empieza una nueva.

consent =
    .needed = Antes de responder necesito tu consentimiento para enviar lo que escribes al proveedor de mi modelo de lenguaje. Puedes darlo en esta aplicación, en «Consentimientos», y retirarlo allí cuando quieras.
    .withdrawn = Has retirado tu consentimiento y me he detenido aquí. Nada más de lo que escribas llegará al proveedor de mi modelo de lenguaje.
    .terms = Acepto las condiciones de uso: este servicio da información general y no consejo médico.
    .health_processing = Acepto que lo que escribo sobre mi salud y mi embarazo se guarde y se use para responderme.
    .ai_provider_transfer = Acepto que lo que escribo aquí, y lo que el servicio recuerda de mí, se envíe a DeepSeek, un proveedor de modelos de lenguaje en China, para que reciba una respuesta. Antes se ocultan las direcciones de correo y los números de teléfono y de tarjeta, en la medida en que se reconocen.
    .analytics = Acepto que se cuente cómo uso este servicio, sin mis palabras.

suggestion =
    .symptom_followup_title = Revisar cómo sigue el síntoma
    .symptom_followup_description = Un recordatorio para ver cómo te encuentras, propuesto para { $when }. Si te sientes peor, no lo esperes: contacta con tu médico o matrona.
    .appointment_title = Cita
    .appointment_description = Una entrada para la cita que has mencionado, propuesta para { $when }. Pon la hora que hayas acordado.
    .reminder_title = Recordatorio
    .reminder_description = Escribiste: «{ $said }». Propuesto para { $when }. Comprueba la hora y cámbiala si otra te viene mejor.

date =
    .moment = el { $day } de { $month }, { $time } h
    .moment_of_year = el { $day } de { $month } de { $year }, { $time } h
    .first = el 1 de { $month }, { $time } h
    .first_of_year = el 1 de { $month } de { $year }, { $time } h
    .month_1 = enero
    .month_2 = febrero
    .month_3 = marzo
    .month_4 = abril
    .month_5 = mayo
    .month_6 = junio
    .month_7 = julio
    .month_8 = agosto
    .month_9 = septiembre
    .month_10 = octubre
    .month_11 = noviembre
    .month_12 = diciembre
