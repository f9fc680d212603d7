"""The main job: build, gate, render, each only where something changed."""

from dataclasses import dataclass
from pathlib import Path

from quantassay.harness import build
from quantassay.harness.inputs import Inputs
from quantassay.harness.workspace import find
from quantassay.jobs import build as building
from quantassay.jobs import desk, gate, report
from quantassay.jobs.gate import Judgement
from quantassay.jobs.report import Page


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: the steps, the verdict (None: the one that stands is still right), the pages."""

    inputs: Inputs
    steps: tuple[build.Step, ...]
    judgement: Judgement | None
    pages: tuple[Page, ...]

    @property
    def passed(self) -> bool:
        """Whether the gate is passed and every number on every page is borne out."""
        return self.inputs.state.steps["gate"]["status"] == "passed" and not any(page.problems for page in self.pages)

    @property
    def crashed(self) -> bool:
        """Whether a gate could not finish, now or when the verdict that stands was given."""
        return bool(self.inputs.envelope(gate.RECORD)["data"]["counts"]["crashed"])

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return (
            self.judgement is None
            and all(s.status == "kept" for s in self.steps)
            and not any(p.made for p in self.pages)
        )


def run(
    folder: Path, request: build.Request, wait_s: float = building.WAIT_S, progress: build.Progress | None = None
) -> Outcome:
    """Build, gate and render the workspace of `folder`. Raises what its parts raise."""
    # The lock comes first: what another run is at work on is read after it has ended.
    with building.workspace_held(find(folder), wait_s):
        inputs, request = desk.prepared(desk.opened(folder), request)
        steps = build.run(inputs, request, progress=progress)
        inputs.forget()
        judgement = None if gate.is_current(inputs) else gate.judge(inputs, request.accept)
        pages = report.render_all(inputs, request.accept)
        inputs.cache.save()
        return Outcome(inputs, tuple(steps), judgement, tuple(pages))
