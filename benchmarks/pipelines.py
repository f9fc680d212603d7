"""One pipeline of 40 steps (4 lanes of 10, 4 raw files, 40 spec files) written for assay, for doit and for dvc."""

import random
import subprocess
from pathlib import Path

LANES, STEPS, ROWS = 4, 10, 200

# The work of a step, the same text in all of them.
WORK = """
def work(values, rate, shift):
    return [(value * rate + shift) % 1_000_003 for value in values]
"""

FROM_FILES = f"""
import json
{WORK}
def run(source, spec, out):
    with open(source) as file:
        values = json.load(file) if source.endswith("json") else [int(line) for line in list(file)[1:]]
    with open(spec) as file:
        settings = dict(line.split(": ") for line in file)
    with open(out, "w") as file:
        json.dump(work(values, int(settings["rate"]), int(settings["shift"])), file)
"""

# One step in a process of its own: step.py SOURCE SPEC OUT
SCRIPT = f"import sys\n{FROM_FILES}\nrun(*sys.argv[1:])\n"

DODO = """
{settings}
def task_step():
    for lane in range({lanes}):
        for step in range({steps}):
            source = f"raw/lane_{{lane}}.csv" if step == 0 else f"out/step_{{lane}}_{{step - 1}}.json"
            spec, out = f"spec/10_rule_{{lane}}_{{step}}.yaml", f"out/step_{{lane}}_{{step}}.json"
            yield {{
                "name": f"{{lane}}_{{step}}",
                "actions": [{action}],
                "file_dep": [source, spec],
                "targets": [out],
            }}
"""

BUILDER = '''"""Step {step} of lane {lane}."""
{work}
def build({source}, rule_{lane}_{step}):
    values = {values}
    return {{"values": work(values, rule_{lane}_{step}["rate"], rule_{lane}_{step}["shift"])}}
'''


def rule(lane: int, step: int, shift: int) -> str:
    """The text of one spec file."""
    return f"rate: {3 + lane}\nshift: {shift + step}\n"


def change(folder: Path, shift: int) -> None:
    """Change one spec, the sixth of the first lane, on which five steps stand."""
    (folder / "spec" / f"10_rule_0_{STEPS - 5}.yaml").write_text(rule(0, STEPS - 5, shift))


def inputs(folder: Path) -> Path:
    """The raw and spec files, alike for all tools."""
    chance = random.Random(5)
    for name in ("raw", "spec", "out"):
        (folder / name).mkdir(parents=True)
    for lane in range(LANES):
        rows = "\n".join(str(chance.randrange(10_000)) for _ in range(ROWS))
        (folder / "raw" / f"lane_{lane}.csv").write_text(f"value\n{rows}\n")
        for step in range(STEPS):
            (folder / "spec" / f"10_rule_{lane}_{step}.yaml").write_text(rule(lane, step, 7))
    return folder


def for_doit(folder: Path, python: Path, *, in_process: bool = False) -> Path:
    """A dodo.py whose steps are programs, or (`in_process`) Python functions."""
    inputs(folder)
    (folder / "step.py").write_text(SCRIPT)
    action = "(run, [source, spec, out])" if in_process else f'["{python}", "step.py", source, spec, out]'
    text = DODO.format(settings=FROM_FILES if in_process else "", lanes=LANES, steps=STEPS, action=action)
    text = DODO.format(settings=FROM_FILES if in_process else "", lanes=LANES, steps=STEPS, action=action)
    (folder / "dodo.py").write_text(text)
    return folder


def for_dvc(folder: Path, python: Path, dvc: Path) -> Path:
    """A dvc.yaml in a repository of its own, without Git."""
    inputs(folder)
    (folder / "step.py").write_text(SCRIPT)
    stages = ["stages:"]
    for lane in range(LANES):
        for step in range(STEPS):
            source = f"raw/lane_{lane}.csv" if step == 0 else f"out/step_{lane}_{step - 1}.json"
            spec, out = f"spec/10_rule_{lane}_{step}.yaml", f"out/step_{lane}_{step}.json"
            stages += [
                f"  step_{lane}_{step}:",
                f"    cmd: {python} step.py {source} {spec} {out}",
                f"    deps: [{source}, {spec}]",
                f"    outs: [{out}]",
            ]
    (folder / "dvc.yaml").write_text("\n".join(stages) + "\n")
    for arguments in (["init", "--no-scm", "-q"], ["config", "core.analytics", "false"]):
        subprocess.run([dvc, *arguments], cwd=folder, check=True)
    (folder / ".dvc" / "config.local").write_text("[core]\n    check_update = false\n")
    return folder


def for_assay(folder: Path) -> Path:
    """A workspace with 40 builders of its own and none of the standard ones."""
    inputs(folder)
    (folder / "builders").mkdir()
    files = [f"  raw_{lane}: {{path: raw/lane_{lane}.csv, format: csv}}" for lane in range(LANES)]
    head = 'name: Pipeline\nas_of: "2026-11-18T15:45:00+09:00"\nrooms: {standard: false, own: true}\nfiles:\n'
    (folder / "spec" / "00_workspace.yaml").write_text(head + "\n".join(files) + "\n")
    for lane in range(LANES):
        for step in range(STEPS):
            source = f"raw_{lane}" if step == 0 else f"step_{lane}_{step - 1}"
            values = f'[int(text) for text in {source}["value"]]' if step == 0 else f'{source}["values"]'
            text = BUILDER.format(lane=lane, step=step, source=source, values=values, work=WORK)
            (folder / "builders" / f"step_{lane}_{step}.py").write_text(text)
    return folder
