"""Opens a page in headless Chromium and prints what went on, as one JSON document.

usage: check_page.py BROWSER PAGE [PICTURES]

For every width and colour scheme: console messages and exceptions, requests other than the page itself, the
page's and the window's width, the colours of the body, and the headings. With PICTURES a folder, a picture
of each goes there. Speaks the DevTools protocol over a pipe, so that it needs nothing but Python.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

WIDTHS = [360, 768, 1280]
MEASURE = """JSON.stringify({
  page: document.documentElement.scrollWidth, window: window.innerWidth,
  ground: getComputedStyle(document.body).backgroundColor,
  text: getComputedStyle(document.body).color,
  headings: [...document.querySelectorAll('h1,h2,h3')].map(h => h.tagName),
  captions: [...document.querySelectorAll('table')].every(t => t.caption),
  scripts: document.scripts.length, images: document.images.length,
  contrast: (() => {
    const rgb = c => c.match(/[\\d.]+/g).map(Number);
    const light = c => rgb(c).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
      .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = e => { for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (rgb(c).length < 4 || rgb(c)[3] > 0) return c; } return 'rgb(255,255,255)'; };
    let least = 21;
    for (const e of document.body.querySelectorAll('*')) {
      if (['title', 'desc'].includes(e.localName)) continue;
      if (![...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())) continue;
      const style = getComputedStyle(e);
      const a = light(e instanceof SVGElement ? style.fill : style.color), b = light(ground(e));
      least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
    }
    return least;
  })()
})"""


class Browser:
    """A running browser, its messages over two pipes."""

    def __init__(self, path, profile):
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()

        def prepare():
            # Copies above what is about to be overwritten.
            source, target = os.dup2(to_read, 20), os.dup2(to_write, 21)
            os.dup2(source, 3)
            os.dup2(target, 4)

        self.process = subprocess.Popen(
            [path, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
             f"--user-data-dir={profile}"],
            pass_fds=(3, 4, to_read, to_write), preexec_fn=prepare,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.buffer = b""
        self.events = []
        self.number = 0
        self.session = None

    def receive(self):
        while b"\0" not in self.buffer:
            chunk = os.read(self.read_end, 1 << 16)
            if not chunk:
                raise SystemExit("the browser has gone")
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        while True:
            for index, event in enumerate(self.events):
                if event.get("method") == method:
                    return self.events.pop(index)
            self.events.append(self.receive())


def look(browser, page, width, scheme, pictures):
    """Opens the page once and says what went on."""
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800,
                 deviceScaleFactor=1, mobile=width < 500)
    browser.call("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.events = []
    browser.call("Page.navigate", url=page)
    browser.wait("Page.loadEventFired")
    value = browser.call("Runtime.evaluate", expression=MEASURE)["result"]["value"]
    seen = json.loads(value) | {"width": width, "scheme": scheme, "messages": [], "requests": []}
    for event in browser.events:
        method, parameters = event.get("method"), event.get("params", {})
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            seen["messages"].append(json.dumps(parameters)[:300])
        elif method == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if url != page and not url.startswith("data:"):
                seen["requests"].append(url)
    if pictures:
        height = browser.call("Page.getLayoutMetrics")["cssContentSize"]["height"]
        picture = browser.call(
            "Page.captureScreenshot", captureBeyondViewport=True,
            clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        path = pathlib.Path(pictures) / f"{width}-{scheme}.png"
        path.write_bytes(base64.b64decode(picture["data"]))
    return seen


def main():
    path, page = sys.argv[1:3]
    pictures = sys.argv[3] if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(path, profile)
        try:
            target = browser.call("Target.createTarget", url="about:blank")["targetId"]
            browser.session = browser.call(
                "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                browser.call(f"{domain}.enable")
            url = pathlib.Path(page).resolve().as_uri()
            print(json.dumps([
                look(browser, url, width, scheme, pictures)
                for width in WIDTHS for scheme in ("light", "dark")]))
        finally:
            browser.process.terminate()
            browser.process.wait()


main()
