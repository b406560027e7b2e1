"""Takes out what evidence need not hold: values of environment variables, and what looks like a secret.

Whoever runs code in the pod writes what is looked at here. So patterns are bounded, begin at the edge of a word, and
give nothing back once they have taken it: the time they need grows with the text, and no faster. They are best effort.
"""

import re
from typing import Any

MARK, DEEP = "[redacted]", 100
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # the manifest once more, and with it its environment
WORDS = r"pass(?:word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential"
NAMED = re.compile(WORDS, re.IGNORECASE)
FLAG = re.compile(rf"--?[\w.-]{{0,60}}?(?:{WORDS})[\w.-]{{0,60}}", re.IGNORECASE)
PATTERNS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,20000}+(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?", MARK),
        (r"(?<![\w-])eyJ[\w-]{5,8192}+\.[\w-]{5,8192}+(?:\.[\w-]{0,8192}+)?", MARK),  # JSON Web Tokens
        (r"(?i:(?<!\w)(bearer|basic)[ \t]{1,3}+)[\w.~+/=-]{8,8192}+", rf"\1 {MARK}"),
        (r"(?<!\w)(?:(?:AKIA|ASIA)[0-9A-Z]{16}(?!\w)|gh[pousr]_\w{30,255}+|xox[abprs]-[\w-]{10,255}+)", MARK),
        (r"://[^\s/:@]{0,100}+:[^\s/@]{1,300}+@", f"://{MARK}@"),  # user and password of a URL
        (  # NAME=value, "name": "value"
            (
                rf"(?i:(?<![\w.-])([\w.-]{{0,60}}?(?:{WORDS})[\w.-]{{0,60}}+[\"']?[ \t]{{0,3}}+[=:][ \t]{{0,3}}+))"
                r"(?:\"[^\"\n]{0,8192}+\"?|'[^'\n]{0,8192}+'?|[^\s\"',;&]{1,8192}+)"
            ),
            rf"\1{MARK}",
        ),
    )
]


def secrets(pod: Any) -> list[str]:  # noqa: ANN401 - JSON
    """The values of the pod's environment variables whose names say that they are secret: they may be in a log too."""
    return sorted(_secrets(pod, DEEP), key=len, reverse=True)


def _secrets(value: Any, deep: int) -> set[str]:  # noqa: ANN401 - JSON
    if not isinstance(value, (dict, list)) or deep == 0:
        return set()
    if isinstance(value, dict) and isinstance(value.get("value"), str) and NAMED.search(str(value.get("name"))):
        return {value["value"]} if len(value["value"]) >= 6 else set()
    inner = value.values() if isinstance(value, dict) else value
    return set().union(*(_secrets(each, deep - 1) for each in inner))


def log(content: bytes, known: list[str]) -> bytes:
    """A log, byte for byte, but for secrets; `known` ones too. What is no text stays what it is."""
    raw = [each.encode("utf-8", "surrogatepass").decode("latin-1") for each in known]
    return text(content.decode("latin-1"), raw).encode("latin-1")


def text(value: str, known: list[str]) -> str:
    """A text without secrets."""
    for each in known:
        value = value.replace(each, MARK)
    for pattern, replacement in PATTERNS:
        value = pattern.sub(replacement, value)
    return value


def clean(value: Any, known: list[str], deep: int = DEEP) -> Any:  # noqa: ANN401 - JSON
    """JSON of the API server without secrets, and without what only repeats it (managedFields)."""
    if isinstance(value, str):
        return text(value, known)
    if not isinstance(value, (dict, list)):
        return value
    if deep == 0:
        return MARK
    if isinstance(value, list):
        return [
            MARK if number and _flag(value[number - 1]) else clean(each, known, deep - 1)
            for number, each in enumerate(value)
        ]
    made: dict[str, Any] = {}
    for key, inner in value.items():
        if key == "env" and isinstance(inner, list):
            made[key] = [_variable(each, known, deep - 1) for each in inner]
        elif key == APPLIED or (isinstance(inner, str) and "/" in key and NAMED.search(key)):  # "/": of an annotation
            made[key] = MARK
        elif key != "managedFields":
            made[text(key, known)] = clean(inner, known, deep - 1)
    return made


def _flag(value: object) -> bool:
    """Whether an argument's value is the next one: --password VALUE."""
    return isinstance(value, str) and len(value) < 200 and FLAG.fullmatch(value) is not None


def _variable(value: Any, known: list[str], deep: int) -> Any:  # noqa: ANN401 - JSON
    """An environment variable without its value: where one comes from may be known, what it is not."""
    if not isinstance(value, dict):
        return MARK
    return {key: MARK if key == "value" else clean(inner, known, deep) for key, inner in value.items()}
