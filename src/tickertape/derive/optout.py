"""Requests to be left alone (or let in again), read from a customer's words."""

import re
import unicodedata

# Whole-text keywords. English is what carriers and regulators list; the others are the everyday words of each language.
_OUT_WORDS = frozenset(
    {
        *(
            "stop",
            "stopall",
            "stop all",
            "quit",
            "end",
            "revoke",
            "revoke all",
            "opt out",
            "optout",
            "opt-out",
            "cancel",
        ),
        *("unsubscribe", "baja", "cancelar", "parar", "alto", "darse de baja", "dar de baja"),
        *("stopp", "abmelden", "abbestellen", "austragen"),
        *("arret", "arreter", "desabonner", "desabonnement", "desinscrire", "desinscription"),
        *("sair", "descadastrar", "remover", "cancelar inscricao"),
    }
)
_IN_WORDS = frozenset({"start", "unstop"})
YES_WORDS = frozenset({"yes"})
"""An opt-in only after an opt-out or a prompt, which the contact's history tells."""

_PHRASES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(take|get) me off\b|\bremove me\b|\bunsubscribe me\b|\bopt me out\b",
        r"\b(stop|quit) (texting|messaging|emailing|e-mailing|contacting|spamming|sending|writing)\b",
        r"\b(don'?t|do not|never) (text|message|email|e-mail|contact|write( to)?) me\b",
        r"\b(leave me alone|lose my number|no more (texts|messages|emails|e-mails))\b",
        r"\bi (want|would like|wish) to (unsubscribe|opt out)\b|\bplease (unsubscribe|opt out)\b",
        r"\bno me (escriban|escribas|envien|manden|contacten) mas\b|\bdejen de (escribir|enviar|mandar)\b",
        r"\b(denme de baja|quiero darme de baja)\b",
        r"\bkeine (nachrichten|e-?mails|sms|werbung) mehr\b|\b(schreib|schreiben sie) mir nicht mehr\b",
        r"\b(horen sie auf|melden sie mich ab)\b",
        r"\bne m'?(ecrivez|envoyez|contactez) plus\b|\barretez de m'",
        r"\b(je veux me desabonner|desabonnez-?moi|retirez-?moi)\b",
        r"\bparem? de (me )?(enviar|mandar|escrever)\b|\bnao (me )?(enviem?|mandem?|escrevam?) mais\b",
        r"\bme (tirem?|removam?) d[ae]\b|\bquero cancelar a inscricao\b",
    )
)
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def plain(text: str) -> str:
    """Without case, accents and the punctuation around it."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return _EDGES.sub("", " ".join("".join(c for c in folded if not unicodedata.combining(c)).split()))


def recognise(text: str) -> str:
    """`keyword`, `phrase` or "" for an opt-out; `opt_in` for a word that opts in whatever came before."""
    if not text:
        return ""
    words = plain(text[:2000])
    if words in _OUT_WORDS:
        return "keyword"
    if words in _IN_WORDS:
        return "opt_in"
    return "phrase" if any(p.search(words) for p in _PHRASES) else ""
