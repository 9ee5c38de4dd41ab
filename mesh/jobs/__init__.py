"""Long work: durable jobs in steps, over tables alone. See :mod:`mesh.jobs.contract`."""

from mesh.jobs.contract import Done, Job, Next, State, Step, Work
from mesh.jobs.runner import Limits, Runner
from mesh.jobs.tables import JOB_TABLES, Jobs

__all__ = ["JOB_TABLES", "Done", "Job", "Jobs", "Limits", "Next", "Runner", "State", "Step", "Work"]
