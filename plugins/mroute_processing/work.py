"""The work of the queue ``processing``: runs the modules of a task and exchanges its images.

Knows the order: all modules first, then what comes in and goes out is written down, then files
move. Does not know how a module is run (chain) or how files move (exchange).
"""

from __future__ import annotations

from pydantic import ValidationError

from mroute.api import Done, Failed, HandOver, Retry, Settlement, Task, WorkContext
from mroute_processing.chain import clear, run_modules
from mroute_processing.exchange import carry_out, plan_exchange
from mroute_processing.outputs import ModuleError
from mroute_processing.section import SECTION, ModuleEntry, ProcessSection, as_section

STAGE = "processing"


def process(task: Task, context: WorkContext) -> Settlement:
    """Run the modules and leave the task with what they made in place of its images.

    Work that was interrupted goes on where it stopped: a module that is done is not run again. The
    images of a task go only when there are others. A task that has targets goes on to them.
    """
    try:
        entries = ProcessSection.model_validate(task.content.get(SECTION)).entries
    except ValidationError as error:
        first = error.errors()[0]
        return Failed(f"the section '{SECTION}' of task.json is damaged: {first['msg']}", STAGE)
    if not entries:
        return Failed("the task has no module to run", STAGE)
    try:
        if entries[-1].exchange is None:
            entries = _run(task, entries, context)
        made = carry_out(task, entries)
        clear(task)
    except ModuleError as error:
        if context.stop.is_set():  # whoever ends mroute may end its modules, too
            return Retry(str(error), counts=False)
        return Failed(str(error), STAGE)
    except OSError as error:  # the disk is full, say
        return Retry(str(error))
    detail = f"{len(made)} images made by " + ", ".join(f"'{each.module_name}'" for each in entries)
    return HandOver("outgoing", detail) if _is_sent(task) else Done(detail)


def _run(task: Task, entries: list[ModuleEntry], context: WorkContext) -> list[ModuleEntry]:
    """Run the modules and save what is to be moved; raises `ModuleError` if that is nothing."""
    entries = run_modules(task, entries, context)
    exchange = plan_exchange(task, entries)
    last = entries[-1]
    if _is_sent(task) and not exchange.added and not last.retain_input_images:
        raise ModuleError(
            f"module '{last.module_name}' made no images to be sent; the rule could say "
            "'retain_input_images: true' to send those that came"
        )
    entries = [*entries[:-1], last.model_copy(update={"exchange": exchange})]
    context.save(SECTION, as_section(entries))
    return entries


def _is_sent(task: Task) -> bool:
    return bool(task.content.get("dispatch"))
