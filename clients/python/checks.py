"""What every Python client checks, and how it says so. Knows no client library."""

import json
import sys


def arguments():
    """The command line: what is expected, the era, and where the server is: ("http", url) or ("stdio", [command, ...])."""
    expected, era, transport, *rest = sys.argv[1:]
    with open(expected, encoding="utf-8") as file:
        return json.load(file), era, (transport, rest[0] if transport == "http" else rest)


def report(name, problem):
    """Prints one line for one check."""
    print(f"fail {name}: {problem}" if problem else f"pass {name}", flush=True)


def revision(negotiated, era):
    """What is wrong with the negotiated revision."""
    wanted = "2026-07-28" if era == "modern" else "2025-11-25"
    return None if negotiated == wanted else f"negotiated {negotiated}, not {wanted}"


def lists(names, expected):
    """What is wrong with the list of tools."""
    missing = sorted(set(expected["tools"]) - set(names))
    return f"not listed: {', '.join(missing)}" if missing else None


def row(is_error, structured, texts, expected):
    """What is wrong with the answer to `get_customer`."""
    if is_error:
        return f"answered with a fault: {texts}"
    wanted = expected["customer"]
    for place, found in (("structuredContent", structured), ("content", json.loads(texts[0]) if texts else None)):
        found = {key: (found or {}).get(key) for key in wanted}
        if found != wanted:
            return f"{place} holds {found}, the database {wanted}"
    return None


def fault(is_error, texts):
    """What is wrong with the answer to a malformed id."""
    if not is_error:
        return f"no fault but {texts}"
    return None if any("customer_id" in text for text in texts) else f"does not name the argument: {texts}"
