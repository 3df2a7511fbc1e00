# French. A key is `message.attribute`; every key stands in every language file.

safety =
    .body = Ce que vous décrivez peut être une urgence. Appelez tout de suite le numéro d'urgence ou votre médecin, ou allez à l'hôpital le plus proche. N'attendez pas de réponse ici.
    .self_harm = Votre vie compte, et vous n'avez pas à traverser cela seule. Appelez tout de suite le numéro d'urgence ou une ligne d'écoute, et parlez-en à quelqu'un qui est près de vous.

canned =
    .greeting = Bonjour ! Comment allez-vous aujourd'hui, vous et votre bébé ? Vous pouvez me poser toutes vos questions sur votre grossesse.
    .thanks = Avec plaisir. Je suis là chaque fois que vous avez besoin de moi.
    .goodbye = Au revoir, et prenez bien soin de vous.

timeout =
    .pregnancy_question = Votre question me prend plus de temps que d'habitude. Réessayez dans un instant, ou posez-la autrement.
    .symptom_report = Je n'ai pas pu répondre à temps. Si votre symptôme vous inquiète ou s'aggrave, appelez votre médecin ou votre sage-femme sans m'attendre.
    .scheduling_related = Je n'ai pas pu répondre à temps. Votre calendrier fonctionne comme toujours ; réessayez dans un instant.
    .small_talk = J'ai été trop lent. Écrivez-moi encore une fois, s'il vous plaît.
    .unclear = Je n'ai pas pu répondre à temps. Réessayez dans un instant, peut-être avec d'autres mots.

circuit =
    .pregnancy_question = J'ai des problèmes techniques et ne peux pas répondre aux questions pendant quelques minutes. Réessayez plus tard.
    .symptom_report = J'ai des problèmes techniques en ce moment. Si votre symptôme est urgent, contactez tout de suite votre médecin ou votre sage-femme.
    .scheduling_related = J'ai des problèmes techniques en ce moment. Votre calendrier fonctionne comme toujours ; demandez-moi à nouveau dans quelques minutes.
    .small_talk = J'ai des problèmes techniques en ce moment. Écrivez-moi à nouveau dans quelques minutes.
    .unclear = J'ai des problèmes techniques en ce moment. Réessayez dans quelques minutes.

overloaded =
    .pregnancy_question = Beaucoup de personnes posent des questions en ce moment. Reposez la vôtre dans une minute.
    .symptom_report = Beaucoup de personnes posent des questions en ce moment et je ne peux pas répondre. Si votre symptôme est urgent, contactez tout de suite votre médecin ou votre sage-femme.
    .scheduling_related = Beaucoup de personnes posent des questions en ce moment. Votre calendrier fonctionne comme toujours ; réessayez dans une minute.
    .small_talk = Beaucoup de personnes m'écrivent en ce moment. Écrivez-moi à nouveau dans une minute.
    .unclear = Beaucoup de personnes posent des questions en ce moment. Réessayez dans une minute.

rate_limited =
    .pregnancy_question = Je dois ralentir un instant. Reposez votre question tout à l'heure.
    .symptom_report = Je dois ralentir un instant et ne peux pas répondre. Si votre symptôme est urgent, contactez tout de suite votre médecin ou votre sage-femme.
    .scheduling_related = Je dois ralentir un instant. Votre calendrier fonctionne comme toujours ; réessayez tout à l'heure.
    .small_talk = Je dois ralentir un instant. Écrivez-moi à nouveau tout à l'heure.
    .unclear = Je dois ralentir un instant. Réessayez tout à l'heure.

content_filter =
    .pregnancy_question = Je ne peux pas répondre à cela tel que c'est demandé. Posez votre question autrement, s'il vous plaît.
    .symptom_report = Je ne peux pas répondre à cela tel que c'est écrit. Si vous vous sentez mal, contactez votre médecin ou votre sage-femme.
    .scheduling_related = Je ne peux pas répondre à cela tel que c'est écrit. Dites-le autrement, s'il vous plaît.
    .small_talk = Je ne peux pas répondre à cela. Parlons de votre grossesse.
    .unclear = Je ne peux pas répondre à cela tel que c'est écrit. Dites-le avec d'autres mots, s'il vous plaît.

budget =
    .pregnancy_question = Je vous ai répondu autant que je le peux pour aujourd'hui. Reposez-moi votre question dans { $hours } h, s'il vous plaît.
    .symptom_report = Je vous ai répondu autant que je le peux pour aujourd'hui ; je le pourrai à nouveau dans { $hours } h. Ne m'attendez pas : si votre symptôme vous inquiète ou s'aggrave, appelez votre médecin ou votre sage-femme.
    .scheduling_related = Je vous ai répondu autant que je le peux pour aujourd'hui. Votre calendrier fonctionne comme toujours ; reposez-moi votre question dans { $hours } h, s'il vous plaît.
    .small_talk = Nous avons parlé autant que nous le pouvons pour aujourd'hui. Écrivez-moi à nouveau dans { $hours } h, s'il vous plaît.
    .unclear = Je vous ai répondu autant que je le peux pour aujourd'hui. Reposez-moi votre question dans { $hours } h, s'il vous plaît.

general =
    .pregnancy_question = Je n'ai pas pu répondre à votre question. Réessayez dans un instant.
    .symptom_report = Je n'ai pas pu vous répondre. Si votre symptôme vous inquiète ou s'aggrave, contactez tout de suite votre médecin ou votre sage-femme.
    .scheduling_related = Je n'ai pas pu vous répondre. Votre calendrier fonctionne comme toujours ; réessayez dans un instant.
    .small_talk = Quelque chose n'a pas marché de mon côté. Écrivez-moi encore une fois, s'il vous plaît.
    .unclear = Quelque chose n'a pas marché de mon côté. Réessayez dans un instant.

error =
    .rate_limited = Vous envoyez des messages trop vite. Attendez { $seconds } secondes, s'il vous plaît.
    .too_long = Votre message est trop long. Écrivez moins de { $limit } caractères, s'il vous plaît.
    .queue_full = Je réponds encore à vos messages précédents. Attendez que j'aie fini, s'il vous plaît.
    .bad_request = Je n'ai pas pu lire ce message. Envoyez-le encore une fois, s'il vous plaît.
    .unknown_type = Je ne connais pas ce type de message. Mettez votre application à jour, s'il vous plaît.
    .shutting_down = Je suis sur le point de redémarrer. Envoyez votre message à nouveau dans un instant.
    .internal = Quelque chose n'a pas marché de mon côté et votre message n'a pas été enregistré. Envoyez-le encore une fois, s'il vous plaît.
    .not_stored = Ma réponse n'a pas pu être enregistrée. Posez votre question encore une fois, s'il vous plaît.
    .not_replaceable = Cette question a déjà une réponse ou a déjà été reposée.

notice =
    .interrupted = Ma réponse a été interrompue. Posez votre question encore une fois pour la recevoir en entier.
    .unstored = Je ne peux pas garder cette conversation en ce moment : j'ai répondu sans ce que vous m'aviez dit avant, et je ne m'en souviendrai pas plus tard.
    .ended = Cette conversation est terminée. Votre prochain message en commence une nouvelle.

consent =
    .needed = Avant de répondre, j'ai besoin de votre consentement pour envoyer ce que vous écrivez au fournisseur de mon modèle de langage. Vous pouvez le donner dans cette application, sous « Consentements », et le retirer là à tout moment.
    .withdrawn = Vous avez retiré votre consentement et je me suis arrêtée ici. Plus rien de ce que vous écrivez n'ira au fournisseur de mon modèle de langage.
    .terms = J'accepte les conditions d'utilisation : ce service donne des informations générales et pas d'avis médical.
    .health_processing = J'accepte que ce que j'écris sur ma santé et ma grossesse soit enregistré et utilisé pour me répondre.
    .ai_provider_transfer = J'accepte que ce que j'écris ici, et ce que le service retient de moi, soit envoyé à DeepSeek, un fournisseur de modèles de langage en Chine, afin que je reçoive une réponse. Les adresses e-mail et les numéros de téléphone et de carte sont masqués avant, dans la mesure où ils sont reconnus.
    .analytics = J'accepte que l'on compte comment j'utilise ce service, sans mes mots.

suggestion =
    .symptom_followup_title = Reparler de votre symptôme
    .symptom_followup_description = Un rappel pour voir comment vous vous sentez, proposé pour { $when }. Si vous vous sentez plus mal, ne l'attendez pas : contactez votre médecin ou votre sage-femme.
    .appointment_title = Rendez-vous
    .appointment_description = Une entrée pour le rendez-vous dont vous avez parlé, proposée pour { $when }. Indiquez l'heure dont vous avez convenu.
    .reminder_title = Rappel
    .reminder_description = Vous avez écrit : « { $said } ». Proposé pour { $when }. Vérifiez l'heure, et changez-la si une autre vous convient mieux.

date =
    .moment = le { $day } { $month } à { $time }
    .moment_of_year = le { $day } { $month } { $year } à { $time }
    .first = le 1er { $month } à { $time }
    .first_of_year = le 1er { $month } { $year } à { $time }
    .month_1 = janvier
    .month_2 = février
    .month_3 = mars
    .month_4 = avril
    .month_5 = mai
    .month_6 = juin
    .month_7 = juillet
    .month_8 = août
    .month_9 = septembre
    .month_10 = octobre
    .month_11 = novembre
    .month_12 = décembre
