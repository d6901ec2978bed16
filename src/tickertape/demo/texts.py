"""What people write, as tables of templates. Slots: {product} {order} {city} {day} {name} {code} {link}."""

# Openings by topic and mood, in English: angry, plain, happy.
OPENINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "where-is-my-order": (
        (
            "Where is order {order}?? It should have been here {day}.",
            "I have been waiting for {order} for over a week. This is ridiculous.",
            "Tracking for {order} has not moved since {day}. Really disappointed.",
            "Third time I ask: where is my {product}?",
            "Your tracking page is useless, it says nothing about {order}",
            "Still no {product}. I took a day off work for this delivery. Not happy.",
        ),
        (
            "Hi, can you tell me where order {order} is?",
            "Hello, when will {order} arrive in {city}?",
            "Could you send me the tracking link for {order}?",
            "Is my {product} shipped yet?",
            "Hey there, any news on {order}?",
            "Will {order} get here before {day}?",
            "The courier says {day}. Is that still right for {order}?",
            "Hi! I ordered the {product}, which day does it come?",
        ),
        (
            "Love how quickly {order} shipped! Can I still see where it is?",
            "Great service so far, just wondering when the {product} gets to {city}",
        ),
    ),
    "late-or-lost-parcel": (
        (
            "Order {order} says delivered but there is nothing here. What a mess.",
            "My parcel is lost and nobody seems to care. Order {order}.",
            "You promised {day}. It is now two days later. Terrible service.",
            "The courier left my {product} in the rain. Unacceptable.",
            "I want my money back for {order}, it never arrived.",
            "Awful experience. {order} went to the wrong address, again.",
        ),
        (
            "Tracking says {order} was delivered {day}, but I did not get it.",
            "I think my parcel {order} is lost. What can we do?",
            "The delivery of {order} was moved twice. Can you check with the courier?",
            "Hi, my {product} seems stuck at the depot in {city}.",
        ),
        ("Thanks for the update on {order}! It is late, but you were lovely about it.",),
    ),
    "change-order": (
        (
            "I tried to change the address of {order} three times and your site fails every time!",
            "Why can I not cancel {order}? This is so frustrating.",
        ),
        (
            "Can I change the delivery address of {order} to {city}?",
            "I ordered the wrong size of the {product}. Can you swap it before it ships?",
            "Please add one more {product} to {order} if it is still possible.",
            "Can I cancel {order}? I ordered it twice by mistake.",
            "Could you hold {order} until {day}? I am travelling.",
            "Is it possible to pay {order} by invoice instead?",
        ),
        ("You people are always so quick! Can I add a {product} to {order}?",),
    ),
    "return-and-refund": (
        (
            "It has been two weeks since I sent the {product} back. Where is my refund?",
            "I am really annoyed. The refund for {order} is short.",
            "Your return label does not work. I have wasted an hour on this.",
            "Why do I have to pay to return something that was faulty? Order {order}.",
            "Nobody answers my e-mails about the refund of {order}.",
            "I feel cheated. You refunded only half of {order}.",
        ),
        (
            "How do I return the {product}?",
            "Hi, I would like to return order {order}, it does not suit me.",
            "When do I get the refund for {order}?",
            "Can I exchange the {product} for another colour?",
            "Do you have a drop-off point in {city} for returns?",
            "I lost the return label for {order}. Can you send a new one?",
            "Is it possible to return a {product} I got as a present?",
            "How many days do I have to send the {product} back?",
        ),
        (
            "Returning the {product} was so easy last time, thank you! How do I do it again?",
            "Lovely {product}, sadly too big. Can I exchange it?",
        ),
    ),
    "damaged-item": (
        (
            "My {product} arrived broken. I am very disappointed.",
            "The zip of the {product} tore on day one. Poor quality for that price.",
            "Received the {product} with a big scratch. Do you even check what you send?",
            "The {product} leaks. On a mountain. In the rain. Thanks for nothing.",
            "Second faulty {product} in a month, I am done with this shop.",
            "The box of {order} was crushed and half of it is missing. Horrible.",
        ),
        (
            "Hi, the {product} in order {order} has a small crack. What should I do?",
            "One strap of my {product} came off. Is that covered?",
            "The {product} I received is a different colour from the picture.",
            "There is a button missing on my {product}, order {order}.",
        ),
        ("I love the {product}, just one seam came loose. Can it be repaired?",),
    ),
    "product-question": (
        (
            "Your page says nothing about what the {product} is made of. Annoying.",
            "Why is the {product} always out of stock?",
        ),
        (
            "Is the {product} waterproof?",
            "Does the {product} come in green?",
            "When is the {product} back in stock?",
            "Can I wash the {product} at 40 degrees?",
            "How heavy is the {product}?",
            "Do you have the {product} in your store in {city}?",
            "Is there a discount if we buy 12 of the {product} for our club?",
            "I want to buy the {product}. Does it ship to {city} by {day}?",
            "What is the difference between the {product} and last year's?",
            "Would you take $60 for the {product}? It has a display mark.",
        ),
        (
            "The {product} looks gorgeous! Is it warm enough for winter?",
            "My friend loves her {product}. Which size would you suggest for me?",
            "Such a beautiful shop! Do you gift-wrap the {product}?",
        ),
    ),
    "size-and-fit": (
        ("Your size chart is wrong. The {product} is far too small.",),
        (
            "I am 178 cm tall, which size of the {product} should I take?",
            "Does the {product} run small?",
            "I wear 42 in other shoes. Is that also 42 for the {product}?",
            "Can I wear a thick sweater under the {product}?",
            "Is the {product} cut for men or for everyone?",
        ),
        ("The {product} in M fits perfectly! Is the other colour cut the same way?",),
    ),
    "praise": (
        ("It is nice, but I expected more of the {product}.",),
        ("Just got the {product}. All fine, thank you.",),
        (
            "Just wanted to say thank you, the {product} is wonderful!",
            "Best {product} I have ever owned. Thank you so much!",
            "Your team was so kind to me {day}. Please tell them!",
            "We took the {product} up a glacier and it was perfect. Amazing work!",
            "Fast delivery, great packaging, lovely note. You made my week!",
            "I am so happy with the {product}, everyone in {city} asks me about it",
        ),
    ),
}

OPENINGS_ABROAD: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "es": (
        (
            "¡El pedido {order} no llega y nadie responde! Muy mal servicio.",
            "Estoy muy decepcionada, {product} llegó roto.",
            "Llevo dos semanas esperando el reembolso de {order}.",
        ),
        (
            "Hola, ¿dónde está mi pedido {order}?",
            "¿Cómo puedo devolver {product}?",
            "¿Tienen {product} en talla M?",
            "Quisiera cambiar la dirección del pedido {order}.",
        ),
        ("¡Me encanta {product}, muchas gracias!", "Excelente atención, ¡gracias!"),
    ),
    "fr": (
        (
            "Ma commande {order} n'est toujours pas arrivée, c'est inadmissible.",
            "Très déçue, l'article {product} est arrivé cassé.",
            "Toujours pas de remboursement pour {order} !",
        ),
        (
            "Bonjour, où en est ma commande {order} ?",
            "Bonjour, comment retourner l'article {product} ?",
            "Est-ce que {product} existe en bleu ?",
            "Puis-je changer l'adresse de livraison de {order} ?",
            "Quand recevrai-je {product} à {city} ?",
        ),
        ("Je suis ravie de {product}, merci beaucoup !", "Service parfait, merci !"),
    ),
    "de": (
        (
            "Meine Bestellung {order} ist immer noch nicht da. Das ist wirklich ärgerlich.",
            "Der Artikel {product} kam kaputt an, ich bin enttäuscht.",
        ),
        (
            "Guten Tag, wo bleibt meine Bestellung {order}?",
            "Wie kann ich den Artikel {product} zurückgeben?",
            "Gibt es {product} auch in Grün?",
            "Kann ich die Lieferadresse von {order} noch ändern?",
        ),
        ("Ich bin begeistert von {product}, vielen Dank!",),
    ),
}

FOLLOW_UPS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "en": (
        (
            "That does not help me at all.",
            "I already told the bot all of this.",
            "So what happens now? I need it by {day}.",
            "Honestly, this is the worst support I have had in a while.",
            "ok but that is not what I asked",
            "I would rather have my money back.",
        ),
        (
            "Sure, it is {order}",
            "Ok, and how long does that take?",
            "Let me check... yes, {city}",
            "Do I need to do anything else?",
            "The name on the order is {name}",
            "Yes please",
            "Could you send it to my e-mail as well?",
            "It was ordered on {day}",
            "ok",
        ),
        ("Oh that is great, thank you!", "Perfect, yes please!", "Wow, that was fast"),
    ),
    "es": (
        ("Eso no me ayuda.",),
        ("Sí, por favor", "¿Cuánto tarda?", "El pedido es {order}"),
        ("¡Perfecto, gracias!",),
    ),
    "fr": (
        ("Cela ne m'aide pas du tout.",),
        ("Oui, s'il vous plaît", "Cela prend combien de temps ?", "C'est la commande {order}"),
        ("Parfait, merci !",),
    ),
    "de": (
        ("Das hilft mir nicht weiter.",),
        ("Ja, bitte", "Wie lange dauert das?", "Es ist {order}"),
        ("Super, danke!",),
    ),
}

THANKS: dict[str, tuple[str, ...]] = {
    "en": ("Thanks!", "Thank you so much, that solved it.", "Great, thanks 🙂", "ok thx", "Perfect. Have a nice day!"),
    "es": ("¡Gracias!", "Perfecto, muchas gracias."),
    "fr": ("Merci !", "Parfait, merci beaucoup."),
    "de": ("Danke!", "Super, vielen Dank."),
}  # fmt: skip

NOT_SOLVED: dict[str, tuple[str, ...]] = {
    "en": (
        "Hi again, it is still not fixed.",
        "Sorry, I have the same problem with {order} as before.",
        "You said it would be here by now. It is not. Very frustrating.",
        "The link you sent me does not work.",
    ),
    "es": ("Sigue sin funcionar.",),
    "fr": ("Le problème n'est toujours pas réglé.",),
    "de": ("Es klappt leider immer noch nicht.",),
}

WANTS_PERSON: dict[str, tuple[str, ...]] = {
    "en": ("Can I talk to a real person?", "agent please", "I want to speak to someone", "Human. Please."),
    "es": ("Quiero hablar con una persona",),
    "fr": ("Je voudrais parler à un conseiller",),
    "de": ("Ich möchte mit einem Menschen sprechen",),
}

BOT_ANSWERS: dict[str, tuple[str, ...]] = {
    "en": (
        "I found order {order}: it left our warehouse and should arrive {day}.",
        "You can return items within 60 days. I have sent the label to your e-mail.",
        "The {product} is in stock and ships within one working day.",
        "Our size guide suggests one size up for the {product}.",
    ),
    "es": ("El pedido {order} ya salió y debería llegar {day}.",),
    "fr": ("La commande {order} est partie et devrait arriver {day}.",),
    "de": ("Die Bestellung {order} ist unterwegs und sollte {day} ankommen.",),
}
BOT_GREETING: dict[str, str] = {
    "en": "Hi, I am Pip, the Harbor & Pine assistant. Let me look into that.",
    "es": "Hola, soy Pip, el asistente de Harbor & Pine. Un momento.",
    "fr": "Bonjour, je suis Pip, l'assistant de Harbor & Pine. Je regarde.",
    "de": "Hallo, ich bin Pip, der Assistent von Harbor & Pine. Ich sehe nach.",
}
BOT_LOST: dict[str, str] = {
    "en": "Sorry, I did not understand that. Could you say it in other words?",
    "es": "Perdón, no te he entendido. ¿Puedes decirlo de otra forma?",
    "fr": "Désolé, je n'ai pas compris. Pouvez-vous reformuler ?",
    "de": "Das habe ich leider nicht verstanden. Können Sie es anders sagen?",
}
BOT_HANDOFF: dict[str, str] = {
    "en": "I am passing you to a colleague who can help.",
    "es": "Te paso con una compañera que puede ayudarte.",
    "fr": "Je vous mets en relation avec un conseiller.",
    "de": "Ich verbinde Sie mit einer Kollegin.",
}

AGENT_REPLIES: dict[str, tuple[str, ...]] = {
    "en": (
        "Hi {name}, thanks for writing. I am looking into {order} right now.",
        "I have checked with the courier: {order} will be with you {day}.",
        "I am sorry about that. I will send a new {product} today, free of charge.",
        "Your refund is on its way. It takes up to three working days to show.",
        "Good choice! I would take the {product} one size up.",
        "I have changed the address to {city}. You will get a new confirmation.",
        "The return label is in your e-mail. Just drop the parcel off anywhere.",
        "Could you send me the order number, please?",
        "The {product} is machine washable at 30 degrees.",
        "I understand how annoying this is. Let me sort it out for you.",
        "We do have it in {city}. Shall I reserve one until {day}?",
        "Happy to help! Is there anything else I can do?",
    ),
    "es": ("Hola {name}, ahora mismo reviso el pedido {order}.", "Te envío la etiqueta de devolución por correo."),
    "fr": ("Bonjour {name}, je vérifie la commande {order}.", "Je vous envoie l'étiquette de retour par e-mail."),
    "de": ("Hallo {name}, ich prüfe gerade {order}.", "Das Rücksendeetikett ist in Ihrem Postfach."),
}
AGENT_CLOSING: dict[str, str] = {
    "en": "All done. Have a lovely day!",
    "es": "Listo. ¡Que tengas un buen día!",
    "fr": "C'est fait. Bonne journée !",
    "de": "Erledigt. Einen schönen Tag!",
}
OUT_OF_OFFICE = (
    "I am out of the office until {day} and will answer when I am back.",
    "Automatic reply: thank you for your message. I am on leave until {day}.",
    "Je suis absente jusqu'au {day}.",
)
EMAIL_RECEIVED = "We have received your message and will answer as soon as we can."

NOTES = (
    "Customer called before, see {order}.",
    "Courier confirms the depot in {city}.",
    "Warehouse checks the stock of {product} tomorrow.",
)

# Opt-outs: the single words that every carrier knows, and the sentences that only a reader understands.
OPT_OUT_WORDS: dict[str, tuple[str, ...]] = {
    "en": ("STOP", "Stop", "stop", "UNSUBSCRIBE", "Cancel", "END"),
    "es": ("BAJA", "ALTO", "STOP"),
    "fr": ("ARRET", "STOP", "Stop"),
    "de": ("STOPP", "ABMELDEN", "STOP"),
}
OPT_OUT_SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "please stop texting me",
        "Take me off this list please",
        "Remove me, I never signed up for this",
        "no more messages, thank you",
    ),
    "es": ("Por favor, no me escriban más",),
    "fr": ("Merci de ne plus m'envoyer de messages",),
    "de": ("Bitte keine Nachrichten mehr",),
}
OPT_OUT_ANSWER = "You are unsubscribed from Harbor & Pine and will get no more messages."

CAMPAIGN_REPLIES: dict[str, tuple[str, ...]] = {
    "en": (
        "Does the {product} come in blue?",
        "Is the discount also valid in your store in {city}?",
        "Can I use the code for the {product}?",
        "I want two of the {product}, how do I order?",
        "Do you still have size M?",
        "Nice! Until when?",
        "can I stop by the store {day} to try it on?",
        "The link does not open on my phone",
        "Too expensive for me. Any chance of 30%?",
    ),
    "es": ("¿Tienen {product} en azul?", "¿Hasta cuándo dura?"),
    "fr": ("Est-ce valable aussi à {city} ?", "{product} existe en bleu ?"),
    "de": ("Gilt das auch im Laden in {city}?",),
}

SURVEY_COMMENTS: tuple[tuple[str, ...], tuple[str, ...]] = (
    (
        "Took far too long.",
        "I had to explain everything twice.",
        "Nice person, but the problem is not solved.",
        "The bot was no help at all.",
    ),
    (
        "Quick and friendly, thank you!",
        "Very helpful.",
        "Solved in five minutes. Impressive!",
        "Maya was wonderful.",
    ),
)
REACTIONS = ("👍", "❤️", "🙏", "😂", "🎉")

DAYS: dict[str, tuple[str, ...]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "tomorrow"),
    "es": ("el lunes", "el martes", "el viernes", "mañana"),
    "fr": ("lundi", "mardi", "vendredi", "demain"),
    "de": ("Montag", "Dienstag", "Freitag", "morgen"),
}
FIRST_NAMES = (
    "Ada", "Ben", "Carla", "Dana", "Eli", "Fatou", "Gus", "Hana", "Ines", "Jamal", "Kira", "Leo", "Mina", "Noor",
    "Otto", "Pia", "Quinn", "Rosa", "Sami", "Tess", "Uma", "Vic", "Wanda", "Yara", "Zoe",
)  # fmt: skip
