// What the page says, in the languages of the server. The server's own texts come from the server.

const WORDS = {
  en: {
    title: "Companion", language: "Language", enter: "Log in", register: "Create an account", leave: "Log out",
    email: "E-mail", password: "Password", message: "Message", send: "Send", stop: "Stop", talk: "Conversation", offers: "Suggestions",
    open: "connected", lost: "no connection; trying again", over: "closed; log in again", away: "",
    sending: "sending", interrupted: "This answer is not complete.", degraded: "The assistant could not be reached.",
    retry: "Ask again", confirm: "Add to my reminders", dismiss: "No, thank you", undo: "Undo",
    confirmed: "Added to your reminders.", dismissed: "Left out.", undone: "Taken back.", elsewhere: "Done on another device.",
    care: "General information, no medical advice.", consents: "Consents", agree: "I agree", withdraw: "Withdraw",
  },
  es: {
    title: "Compañera", language: "Idioma", enter: "Entrar", register: "Crear una cuenta", leave: "Salir",
    email: "Correo electrónico", password: "Contraseña", message: "Mensaje", send: "Enviar", stop: "Parar", talk: "Conversación", offers: "Sugerencias",
    open: "conectado", lost: "sin conexión; nuevo intento en breve", over: "cerrado; vuelve a entrar", away: "",
    sending: "enviando", interrupted: "Esta respuesta no está completa.", degraded: "No se ha podido contactar con la asistente.",
    retry: "Preguntar otra vez", confirm: "Añadir a mis recordatorios", dismiss: "No, gracias", undo: "Deshacer",
    confirmed: "Añadido a tus recordatorios.", dismissed: "Descartado.", undone: "Deshecho.", elsewhere: "Hecho en otro dispositivo.",
    care: "Información general, no es consejo médico.", consents: "Consentimientos", agree: "Acepto", withdraw: "Retirar",
  },
  fr: {
    title: "Compagne", language: "Langue", enter: "Se connecter", register: "Créer un compte", leave: "Se déconnecter",
    email: "E-mail", password: "Mot de passe", message: "Message", send: "Envoyer", stop: "Arrêter", talk: "Conversation", offers: "Suggestions",
    open: "connecté", lost: "pas de connexion ; nouvel essai bientôt", over: "fermé ; reconnectez-vous", away: "",
    sending: "envoi", interrupted: "Cette réponse n'est pas complète.", degraded: "L'assistante n'a pas pu être jointe.",
    retry: "Redemander", confirm: "Ajouter à mes rappels", dismiss: "Non merci", undo: "Annuler",
    confirmed: "Ajouté à vos rappels.", dismissed: "Écarté.", undone: "Annulé.", elsewhere: "Fait sur un autre appareil.",
    care: "Informations générales, pas un avis médical.", consents: "Consentements", agree: "J'accepte", withdraw: "Retirer",
  },
};

let language = "en";

/** Chooses the language and says everything on the page anew. */
export function speak(code) {
  language = code in WORDS ? code : "en";
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", word(element.dataset.label));
}

export function word(name) {
  return WORDS[language][name] ?? WORDS.en[name] ?? name;
}
