/** Everything the page says, in English and German. */

const ENGLISH = {
  lang: "en",
  title: "Ticket",
  codeLabel: "Entry code, a QR code. Hold this screen to the reader at the door. If that fails, the help below says what to do.",
  hint: (seconds) => `This code changes every ${seconds}\u00a0s: a picture of it does not work.`,
  starts: (date) => `Starts ${date}`,
  facts: { type: "Ticket", seat: "Seat", holder: "Name", number: "Number" },
  checkedIn: "Already scanned at the door",
  retry: "Try again",
  help: {
    title: "The code does not show or does not scan?",
    lines: [
      "Turn the screen's brightness up, and hold the phone a hand's length from the reader.",
      "Wait for the next code: a reader that is a few seconds off takes it.",
      "If you cannot see or show the code, tell the staff the number above and your name. They can find your ticket.",
    ],
  },
  notes: {
    synced: "Ready to scan",
    stored: "Offline: the code works all the same",
    doubtful: "Time not confirmed: connect to a network once",
    unkept: "This browser keeps nothing: leave this page open",
    insecure: "Not opened over https: without a network there is no code",
  },
  states: {
    used: "It was used.",
    revoked: "It was revoked by the organiser.",
    refunded: "It was refunded.",
    cancelled: "It was cancelled.",
    expired: "Its time is over.",
  },
  screens: {
    loading: { title: "Opening your ticket", body: "" },
    early: {
      title: (date) => `Your code appears on ${date}`,
      body: "Open this page again then. Once you have seen the code, it works without a network.",
    },
    stale: {
      title: "Connect to a network",
      body: "This phone has no code for the present time. It loads by itself as soon as there is a connection.",
    },
    unreachable: {
      title: "No connection",
      body: "This ticket was never opened on this phone. Open it once with a connection; from then on it works without.",
    },
    replaced: {
      title: "This link holds no ticket any more",
      body: "The ticket was handed on or issued anew, and its owner has a new link. If that surprises you, ask the organiser.",
    },
    void: { title: "This ticket is not valid any more", body: "If you did not expect this, ask the organiser." },
    locked: { title: "This ticket is on hold", body: "It shows no code for now. Ask the organiser." },
    cancelled: { title: "This event was cancelled", body: "The organiser will tell you about your money." },
    over: { title: "This event is over", body: "We hope you enjoyed it." },
    invalid: {
      title: "This link does not work",
      body: "Open the whole link from your message again, or ask for a new one where you bought the ticket.",
    },
  },
};

const GERMAN = {
  lang: "de",
  title: "Ticket",
  codeLabel: "Einlasscode, ein QR-Code. Halten Sie den Bildschirm vor das Lesegerät. Gelingt das nicht, hilft der Hinweis unten.",
  hint: (seconds) => `Dieser Code wechselt alle ${seconds}\u00a0s: Ein Foto davon gilt nicht.`,
  starts: (date) => `Beginn ${date}`,
  facts: { type: "Ticket", seat: "Platz", holder: "Name", number: "Nummer" },
  checkedIn: "Am Eingang bereits gescannt",
  retry: "Erneut versuchen",
  help: {
    title: "Der Code erscheint nicht oder wird nicht gelesen?",
    lines: [
      "Stellen Sie den Bildschirm heller und halten Sie das Telefon eine Handlänge vor das Lesegerät.",
      "Warten Sie auf den nächsten Code: Auch ein Gerät, das einige Sekunden falsch geht, nimmt ihn an.",
      "Wenn Sie den Code nicht sehen oder zeigen können, nennen Sie dem Personal die Nummer oben und Ihren Namen.",
    ],
  },
  notes: {
    synced: "Bereit zum Scannen",
    stored: "Offline: Der Code gilt trotzdem",
    doubtful: "Uhrzeit nicht bestätigt: Bitte einmal mit einem Netz verbinden",
    unkept: "Dieser Browser speichert nichts: Lassen Sie die Seite offen",
    insecure: "Nicht über https geöffnet: Ohne Netz gibt es keinen Code",
  },
  states: {
    used: "Es wurde benutzt.",
    revoked: "Der Veranstalter hat es widerrufen.",
    refunded: "Es wurde erstattet.",
    cancelled: "Es wurde storniert.",
    expired: "Es ist abgelaufen.",
  },
  screens: {
    loading: { title: "Ihr Ticket wird geöffnet", body: "" },
    early: {
      title: (date) => `Ihr Code erscheint am ${date}`,
      body: "Öffnen Sie diese Seite dann noch einmal. Sobald Sie den Code gesehen haben, geht es auch ohne Netz.",
    },
    stale: {
      title: "Bitte mit einem Netz verbinden",
      body: "Auf diesem Telefon liegt kein Code für diese Zeit. Er lädt von selbst, sobald es eine Verbindung gibt.",
    },
    unreachable: {
      title: "Keine Verbindung",
      body: "Dieses Ticket wurde hier noch nie geöffnet. Öffnen Sie es einmal mit Verbindung, danach geht es auch ohne.",
    },
    replaced: {
      title: "Dieser Link enthält kein Ticket mehr",
      body: "Das Ticket wurde weitergegeben oder neu ausgestellt und hat einen neuen Link. Im Zweifel fragen Sie den Veranstalter.",
    },
    void: {
      title: "Dieses Ticket gilt nicht mehr",
      body: "Falls Sie das nicht erwartet haben, fragen Sie den Veranstalter.",
    },
    locked: { title: "Dieses Ticket ist gesperrt", body: "Es zeigt vorerst keinen Code. Fragen Sie den Veranstalter." },
    cancelled: { title: "Die Veranstaltung fällt aus", body: "Der Veranstalter meldet sich wegen Ihres Geldes." },
    over: { title: "Die Veranstaltung ist vorbei", body: "Wir hoffen, es war schön." },
    invalid: {
      title: "Dieser Link funktioniert nicht",
      body: "Öffnen Sie noch einmal den ganzen Link aus Ihrer Nachricht, oder bitten Sie beim Verkäufer um einen neuen.",
    },
  },
};

/** Return the texts for the first language of a list that there are texts for; English if there is none. */
export function chooseTexts(languages) {
  const known = { en: ENGLISH, de: GERMAN };
  const wanted = languages.map((one) => one.toLowerCase().split("-")[0]).find((one) => one in known);
  return known[wanted] ?? ENGLISH;
}

/** Return a moment as people of this language write it, in this phone's time zone. */
export function writeDate(texts, moment, languages) {
  const locale = languages.find((one) => one.toLowerCase().startsWith(texts.lang)) ?? texts.lang;
  const form = { weekday: "short", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(locale, form).format(moment);
}
