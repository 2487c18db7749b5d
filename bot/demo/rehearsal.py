"""`ao-rehearsal`: a scripted stand-in for a coding agent. No model; it plays a plan that is in its prompt.

It has only what a real agent has: its screen, its folder `$AO_SESSION_DIR/agent`, `ao` and `git`. It imports
nothing of ours but its own screen. The plan is a block of JSON between lines "```rehearsal" and "```": a list of steps, each
an object with one of these keys and its particulars:

    write PATH (text) · replace PATH (old, new) · run ARGV (must: pass|fail) · commit MESSAGE · push · pr TITLE (body, draft)
    ask TEXT (options, then: {answer: steps}) · dialog TEXT (options, then) · wait_message [PATTERNS] · wait
    say TEXT · report TEXT · done TEXT · pause SECONDS · hang · crash CODE

Lists of lines may stand for texts. After `wait_message` it goes on only if a message holds every pattern.
What it has done is kept in `agent/progress.json`, so that `--resume` goes on with the next step.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from bot.demo.rehearsal_screen import Interrupted, Terminal

LABEL = "rehearsal agent (scripted, no model)"
NO_PLAN = (
    "I am a scripted stand-in for a coding agent and can only play plans that stand in an issue; here is none.\n"
    "For real work configure a real agent (`agent:` in the configuration): docs/plugins.md shows how."
)
Step = dict[str, Any]

_PLAN = re.compile(r"^(`{3,}|~{3,})rehearsal[ \t]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_GO_ON = re.compile(r"\b(continue|go on|carry on)\b", re.IGNORECASE)


class StepFailed(Exception):
    """A step did not end as the plan says; the words are for the screen."""


class Folder:
    """What it leaves in its folder: events, one file each, and how far it is."""

    def __init__(self, session: Path) -> None:
        self._agent = session / "agent"
        self._events = self._agent / "events"
        self._events.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._count = 0
        self.progress: dict[str, Any] = {
            "conversation": f"rehearsal-{time.time_ns():x}",
            "steps": [],
            "next": 0,
            "held": False,
        }

    def resume(self) -> bool:
        """Take up the progress that was kept, if there is one."""
        try:
            self.progress = json.loads((self._agent / "progress.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return True

    def keep(self) -> None:
        """Keep the progress."""
        self._put(self._agent / "progress.json", self.progress)

    def tell(self, event: str, **fields: object) -> None:
        """Leave an event."""
        now = time.time()
        self._count += 1
        name = f"{int(now * 1000):013d}-{os.getpid()}-{self._count:06d}.json"
        about = {"event": event, "at": now, "conversation": self.progress["conversation"]}
        self._put(self._events / name, about | fields)

    @staticmethod
    def _put(path: Path, value: object) -> None:
        draft = path.with_name(f".{path.name}")
        draft.write_text(json.dumps(value), encoding="utf-8")
        draft.rename(path)


class Rehearsal:
    """Plays the plan, and waits at its prompt in between."""

    def __init__(self, terminal: Terminal, folder: Folder) -> None:
        self._screen = terminal
        self._folder = folder
        self._tell = folder.tell
        self._turn = True
        self._play: dict[str, Callable[[Step], None]] = {
            "write": self._write,
            "replace": self._replace,
            "run": self._command,
            "commit": self._commit,
            "push": lambda _step: self._must(["git", "push"]),
            "pr": self._pull_request,
            "ask": self._ask,
            "dialog": self._dialog,
            "say": lambda step: self._screen.show(_text(step["say"])),
            "report": lambda step: self._must(["ao", "report", _text(step["report"])]),
            "done": lambda step: self._must(["ao", "done", _text(step["done"])]),
            "pause": self._pause,
            "hang": self._hang,
            "crash": lambda step: os._exit(int(step["crash"])),
        }

    @property
    def _step(self) -> Step | None:
        progress = self._folder.progress
        return progress["steps"][progress["next"]] if progress["next"] < len(progress["steps"]) else None

    def live(self, prompt: str | None) -> NoReturn:
        """Play and listen, until the terminal closes (`EOFError`)."""
        if prompt is not None:
            self._accept(prompt)
        elif self._step is not None and not self._folder.progress["held"]:
            self._tell("working")
        while True:
            step = self._step
            if step is None or self._folder.progress["held"] or {"wait", "wait_message"} & step.keys():
                self._listen()
            else:
                self._perform(step)

    def _listen(self) -> None:
        if self._turn:
            self._tell("stop")
        self._turn = False
        self._screen.waits()
        self._accept(self._screen.read())

    def _accept(self, text: str) -> None:
        self._turn = True
        self._tell("prompt_submit", text=text)
        self._screen.works("reading")
        plan = _PLAN.search(text)
        waiting = (self._step or {}).get("wait_message")
        if plan:
            self._take_plan(plan.group(2))
        elif waiting is not None:
            missing = [p for p in _list(waiting) if not _holds(text, p)]
            if missing:
                self._screen.show(
                    f"That message does not hold what I need to go on: {', '.join(missing)}. I wait."
                )
            else:
                told = [line for line in text.splitlines() if _holds(line, waiting)]
                self._screen.show("\n".join(["That tells me what is wrong:", *told[:20]]))
                self._advance()
        elif _GO_ON.search(text) and self._step is not None:
            self._screen.show("I go on.")
            self._folder.progress["held"] = False
            if "wait" in self._step:
                self._advance()
        elif not self._folder.progress["steps"]:
            self._screen.show(NO_PLAN)
        else:
            self._screen.show(f"Noted, nothing in my plan answers that: {text.strip().splitlines()[0][:100]}")
        self._folder.keep()

    def _take_plan(self, plan: str) -> None:
        try:
            steps = [dict(step) for step in json.loads(plan)]
        except (TypeError, ValueError) as error:
            self._screen.show(f"The plan is no list of steps: {error}")
            return
        progress = self._folder.progress
        if progress["held"]:
            progress["next"] = len(progress["steps"])
        progress.update(steps=[*progress["steps"], *steps], held=False)
        self._screen.show(f"A plan of {len(steps)} steps.")

    def _perform(self, step: Step) -> None:
        verb = next((key for key in step if key in self._play), "")
        self._screen.works(f"{verb} {_text(step.get(verb, ''))[:50]}")
        try:
            self._play[verb](step)
        except (StepFailed, OSError, LookupError, TypeError, ValueError) as error:
            self._screen.show(f"I cannot go on with {json.dumps(step)[:200]}: {error}")
            self._folder.progress["held"] = True
        except Interrupted:
            self._screen.show("Interrupted.")
            self._tell("interrupted")
            self._turn = False
            self._folder.progress["held"] = True
            if verb in {"hang", "pause"}:
                self._advance()
        else:
            self._advance()
        self._folder.keep()

    def _advance(self) -> None:
        self._folder.progress["next"] += 1

    def _branch(self, step: Step, answer: str) -> None:
        """Put the steps that follow on this answer next in the plan."""
        then = {key.casefold(): steps for key, steps in step.get("then", {}).items()}
        after = self._folder.progress["next"] + 1
        self._folder.progress["steps"][after:after] = then.get(answer.casefold(), then.get("*", []))

    def _write(self, step: Step) -> None:
        path = Path(step["write"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(step.get("text", "")) + "\n", encoding="utf-8")

    def _replace(self, step: Step) -> None:
        path, old, new = Path(step["replace"]), _text(step["old"]), _text(step["new"])
        before = path.read_text(encoding="utf-8")
        if new in before:
            return  # It was done before we were restarted.
        if old not in before:
            msg = f"{path} does not hold {old!r}"
            raise StepFailed(msg)
        path.write_text(before.replace(old, new, 1), encoding="utf-8")

    def _command(self, step: Step) -> None:
        code, _ = self._run([str(word) for word in _list(step["run"])])
        if (code == 0) is not {"pass": True, "fail": False}.get(step.get("must", ""), code == 0):
            msg = f"the command ended with {code}, and must {step['must']}"
            raise StepFailed(msg)

    def _commit(self, step: Step) -> None:
        self._must(["git", "add", "-A"])
        if self._run(["git", "diff", "--cached", "--quiet"])[0]:
            self._must(["git", "commit", "-q", "-m", _text(step["commit"])])

    def _pull_request(self, step: Step) -> None:
        words = ["--title", _text(step["pr"]), "--body", _text(step.get("body", "Made in rehearsal."))]
        draft = ["--draft"] if step.get("draft") else []
        if self._run(["ao", "pr", "create", *words, *draft])[0]:
            self._must(["ao", "pr", "update", *words])  # It was opened before we were restarted.

    def _ask(self, step: Step) -> None:
        options = [word for option in step.get("options", []) for word in ("--option", option)]
        code, answer = self._run(["ao", "ask", _text(step["ask"]), *options])
        if code:
            msg = "nobody answered"
            raise StepFailed(msg)
        self._branch(step, answer.rstrip().rpartition("\n")[2])

    def _dialog(self, step: Step) -> None:
        options = step["options"]
        self._screen.show("\n".join([step["dialog"], *(f"  {n}. {o}" for n, o in enumerate(options, 1))]))
        self._tell("permission", text=step["dialog"], options=options, id=str(self._folder.progress["next"]))
        self._screen.choices = len(options)
        try:
            self._screen.works("waiting for a choice")
            while not self._screen.messages:
                self._screen.poll(None)
        finally:
            self._screen.choices = 0
        answer = options[int(self._screen.messages.popleft()) - 1]
        self._tell("working")
        self._branch(step, answer)

    def _pause(self, step: Step) -> None:
        until = time.monotonic() + float(step["pause"])
        while (left := until - time.monotonic()) > 0:
            self._screen.poll(left)

    def _hang(self, _step: Step) -> None:
        while True:
            self._screen.poll(None)

    def _must(self, argv: list[str]) -> None:
        code, _ = self._run(argv)
        if code:
            msg = f"{' '.join(argv[:2])} ended with {code}"
            raise StepFailed(msg)

    def _run(self, argv: list[str]) -> tuple[int, str]:
        """Run a program, its output on the screen. Its exit code and output."""
        self._tell("tool_start", tool=" ".join(argv)[:80])
        said = bytearray()
        with subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as child:
            try:
                source = child.stdout.fileno() if child.stdout else -1
                while child.poll() is None or select.select([source], [], [], 0)[0]:
                    if self._screen.poll(0.2, source):
                        data = os.read(source, 65536)
                        if not data:
                            break
                        said += data
            except (Interrupted, EOFError):
                child.terminate()
                raise
        output = said.decode(errors="replace")
        self._screen.show(f"$ {' '.join(argv)[:100]}\n{output.rstrip()[-2000:]}".rstrip())
        self._tell("tool_end", tool=" ".join(argv)[:80], code=child.returncode)
        return child.returncode, output


def _holds(line: str, patterns: object) -> bool:
    return any(re.search(pattern, line, re.IGNORECASE) for pattern in _list(patterns))


def _text(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _ended(_signal: int, _frame: object) -> NoReturn:
    raise EOFError


def main() -> int:
    """Entry point: `ao-rehearsal [--prompt-file FILE] [--resume]`."""
    arguments = sys.argv[1:]
    folder = Folder(Path(os.environ.get("AO_SESSION_DIR", ".")))
    resumed = "--resume" in arguments and folder.resume()
    folder.tell("session_start", resumed=resumed)
    prompt = None
    if "--prompt-file" in arguments and not resumed:
        prompt = Path(arguments[arguments.index("--prompt-file") + 1]).read_text(encoding="utf-8")
    terminal = Terminal()
    agent = Rehearsal(terminal, folder)
    signal.signal(signal.SIGHUP, _ended)
    signal.signal(signal.SIGTERM, _ended)
    with terminal.keyboard():
        terminal.show(LABEL)
        try:
            agent.live(prompt)
        except EOFError:
            folder.tell("session_end", reason="terminal closed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
