"""`minet detect`: its options.

Heavy modules are imported only when needed, so that `--help` and error messages come at once.
"""

from pathlib import Path
from typing import Any

import click

from minet_cli.click_options import detector_size, jobs_at_once, names, position, rate, setting
from minet_cli.sections import SectionedCommand
from minet_core.errors import MinetError
from minet_core.options import DetectOptions

SECTIONS = {
    "Input": (
        *("list_file", "watch", "start", "end", "max_frames", "stride", "rate", "stream"),
        *("detections", "first_boxes", "prompts", "corrections"),
    ),
    "Model": ("model", "classes", "score", "size", "tiles", "identify", "device", "half"),
    "What to write": ("output", "report", "formats", "video", "trails", "score_vectors", "keep"),
    "Memory": ("memory", "link", "fill", "preset"),
    "Run": (
        "jobs",
        "split_at_cuts",
        "batch",
        "resume",
        "overwrite",
        "checkpoint",
        "cache",
        "quiet",
    ),
    "Many machines": ("ray", "gpus_per_video", "cpus_per_video"),
}
"""Heading of the help → options under it."""


@click.command(cls=SectionedCommand, sections=SECTIONS)
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "--list",
    "list_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Text file with more inputs, one per line; # begins a comment.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    default="minet-output",
    show_default=True,
    help="Output folder, here or in a bucket (s3://…); each video gets a folder in it.",
)
@click.option(
    "--watch",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Process each new video in a folder, until Ctrl-C.",
)
@setting("--model", "model", metavar="NAME|FILE")
@setting("--identify", "identify", metavar="FILE|fc6")
@setting("--preset", "preset", metavar="NAME")
@setting("--format", "formats", type=names, metavar="NAMES")
@setting("--score", "score", type=float)
@setting("--classes", "classes", type=names, metavar="NAMES")
@setting("--memory/--no-memory", "memory")
@setting("--link/--no-link", "link")
@setting("--fill", "fill", type=int, metavar="N")
@setting("--device", "device", metavar="NAME")
@setting("--start", "start", type=position, metavar="PLACE")
@setting("--end", "end", type=position, metavar="PLACE")
@setting("--stream", "stream", type=int, metavar="N")
@setting("--stride", "stride", type=int)
@setting("--max-frames", "max_frames", type=int)
@setting("--rate", "rate", type=rate, metavar="FPS")
@setting("--first-boxes", "first_boxes", metavar="FILE")
@setting("--prompts", "prompts", metavar="FILE")
@setting("--corrections", "corrections", metavar="FILE")
@setting("--detections", "detections", metavar="FILE|DIR")
@setting("--score-vectors", "score_vectors", is_flag=True)
@setting("--size", "size", type=detector_size, metavar="N|auto")
@setting("--tiles", "tiles", type=int)
@setting("--half", "half", is_flag=True)
@setting("--trails", "trails", type=int)
@setting("--keep", "keep", is_flag=True)
@setting("--video/--no-video", "video")
@setting("--report", "report", is_flag=True)
@setting("--split-at-cuts", "split_at_cuts", is_flag=True)
@setting("--batch", "batch", type=int, metavar="N")
@setting("--overwrite", "overwrite", is_flag=True)
@setting("--resume", "resume", is_flag=True)
@setting("--checkpoint", "checkpoint", type=float, metavar="SECONDS")
@setting("--cache", "cache", type=float, metavar="GB")
@jobs_at_once
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Process the videos on a Ray cluster, such as head:6379 or auto; implies --resume.",
)
@click.option(
    "--gpus-per-video",
    type=float,
    default=0.0,
    show_default=True,
    help="With --ray: GPUs for each video; with 0.25, four videos share one.",
)
@click.option(
    "--cpus-per-video",
    type=float,
    default=1.0,
    show_default=True,
    help="With --ray: cores for each video.",
)
@click.option("--quiet", is_flag=True, help="Show errors only.")
def detect(
    inputs: tuple[str, ...],
    list_file: Path | None,
    output: str,
    watch: Path | None,
    jobs: int | None,
    ray: str | None,
    gpus_per_video: float,
    cpus_per_video: float,
    quiet: bool,
    **settings: Any,
) -> None:
    """Detect objects in videos and link them into tracklets.

    \b
    minet detect street.mp4 --report
    minet detect footage/ -o results --classes person,car --resume
    minet detect street.mp4 --model yolo11n.onnx --format json,cvat

    INPUT is a video file, a folder of videos or of pictures, a pattern such as 'cam/*.mp4', a
    URL (https://, s3://, gs://, hf://, …), or - for standard input. Each video gets a folder with
    annotated.mp4, result.json, detections.csv, mot.txt and minet.json, which tells later runs that
    it is done.
    """
    from minet_cli import detect_run
    from minet_cli.showing.detect_report import Reporter
    from minet_core.batch.cluster import Cluster
    from minet_core.batch.planning import plan
    from minet_core.runs.video_inputs import expand
    from minet_core.video.opening import is_url

    if watch is not None and (inputs or list_file is not None):
        raise click.UsageError("--watch excludes INPUT and --list.")
    if watch is not None and is_url(output):
        raise click.UsageError("--watch needs an output folder on this machine.")
    if not inputs and list_file is None and watch is None:
        raise click.UsageError("Missing argument 'INPUT...'.")
    if ray is not None and jobs != 1:
        raise click.UsageError("--ray excludes --jobs.")
    if ray is None and (gpus_per_video, cpus_per_video) != (0, 1):
        raise click.UsageError("--gpus-per-video and --cpus-per-video need --ray.")
    cluster = None if ray is None else Cluster(ray, cpus_per_video, gpus_per_video)
    settings["resume"] |= cluster is not None
    options = DetectOptions(**settings)
    if options.export_formats:  # slow to load
        from minet_core.formats.exporters import check_formats

        check_formats(options.formats)
    reporter = Reporter(options, quiet=quiet)
    if watch is not None:
        detect_run.watch(watch, Path(output), options, reporter, jobs, cluster)
        return
    sources = expand(inputs, list_file, reporter.note)
    to_do, done = plan(sources, output, options)
    # Reported only now, when no mistake can end the run any more.
    failures = detect_run.completed(done, reporter, alone=not to_do and len(done) == 1)
    if to_do:
        detect_run.run_all(to_do, options, reporter, failures, jobs, cluster)
    if failures:
        reporter.failures(failures)
        raise MinetError(f"{len(failures)} of {len(sources)} inputs failed")
