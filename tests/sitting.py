"""Somebody at the desk: a client with the cookie of a browser's session, and what its pages say."""

from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any

import httpx
from office import Office

HERE = "http://office"
FORM = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def sitting(office: Office, person: str, lang: str = "en"):
    """A browser in which somebody is signed in; it follows no redirect by itself."""
    token = await office.client.auth.token(person)
    transport = httpx.ASGITransport(office.app, raise_app_exceptions=False)
    cookies = {"hoso": token, "hoso-lang": lang}
    async with httpx.AsyncClient(
        transport=transport, base_url=HERE, cookies=cookies, headers=FORM
    ) as client:
        yield client


class Page(HTMLParser):
    """What a page holds: its text, links, the fields of its forms, and what a policy forbids."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.text, self.links, self.forbidden = "", list[str](), list[str]()
        self.forms: list[dict[str, Any]] = []  # `whole`: all that is sent; `kinds`: of controls
        self.within: str | None = None
        self.feed(answer.text)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        if tag == "form":
            self.forms.append({"action": said.get("action"), "fields": {}})
            self.forms[-1] |= {"whole": {}, "kinds": {}, "sends": set()}
        if tag in {"input", "button"} and self.forms and said.get("name"):
            self.forms[-1]["fields"][said["name"]] = said.get("value", "")
        if self.forms:
            self._control(tag, said)
        self.forbidden += [name for name in said if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in said):
            self.forbidden.append(tag)

    def _control(self, tag, said):
        """What a browser would send of it: what is ticked, chosen, or stands in it."""
        form, name, value = self.forms[-1], said.get("name"), said.get("value") or ""
        form["sends"] |= {said[name] for name in ("formaction", "hx-post") if name in said}
        if tag in {"input", "textarea", "select"} and name:
            kind = said.get("type", "text") if tag == "input" else tag
            form["kinds"][name] = kind
            if kind in {"checkbox", "radio"}:
                value = (value or "on") if "checked" in said else form["whole"].get(name)
            form["whole"][name] = None if kind == "select" else value
            self.within = name if kind in {"textarea", "select"} else None
        # Of a choice the first, unless another is chosen.
        if (
            tag == "option"
            and self.within
            and ("selected" in said or form["whole"][self.within] is None)
        ):
            form["whole"][self.within] = value

    def handle_endtag(self, tag):
        if tag in {"textarea", "select"}:
            self.within = None

    def handle_data(self, data):
        self.text += data
        if self.within and self.forms and self.forms[-1]["kinds"].get(self.within) == "textarea":
            self.forms[-1]["whole"][self.within] += data.removeprefix("\n")

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form that is sent there, as the page filled them."""
        return next(each["fields"] for each in self.forms if each["action"] == action)
