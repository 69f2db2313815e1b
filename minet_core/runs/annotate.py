"""One video in, its folder of results out."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from minet_core.models.zoo import Model
from minet_core.options import DetectOptions, is_around_person
from minet_core.runs.summary import Progress, Summary
from minet_core.runs.video_run import open_run


def annotate(
    source: str | Path,
    folder: str | Path,
    model: Model | None = None,
    options: DetectOptions | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Detect objects in one video and write the results into `folder`.

    Args:
        source: a video file, a URL, `-` for standard input, or pictures: a folder of them, or a
            pattern such as `cam/*.jpg`.
        folder: made if missing; files appear there, all together, when they are complete.
        model: from `load_model`, or None for the one that the options name. Results are known by
            its name, and by the weights of that name.
        options: what to do.
        progress: called after each frame.

    Raises:
        AlreadyDoneError: the folder has these very results, and `overwrite` is not set.
        InputError: the source cannot be read, or changes while it is read.
        ConfigError: a setting is not valid.
        OutputError: the results cannot be written, others are there that may not be replaced, or
            another process is writing there.
        MinetError: a video is to be drawn, and OpenCV does not load.
    """
    folder, options = Path(folder), options or DetectOptions()
    # What only some runs need is loaded by those.
    if is_around_person(options):
        from minet_core.runs.corrected.going_on import annotate_around

        summary = annotate_around(source, folder, model, options, progress)
    elif options.split_at_cuts:
        from minet_core.runs.scenes.joining import annotate_by_scenes

        summary = annotate_by_scenes(source, folder, model, options, progress)
    else:
        summary = _run(source, folder, model, options, progress)
    return with_report_and_exports(summary, options)


def with_report_and_exports(summary: Summary, options: DetectOptions) -> Summary:
    """Write what is made from a result, as far as the options ask for it.

    Raises:
        OutputError: it cannot be written.
    """
    return _with_exports(_with_report(summary, options), options)


def _with_report(summary: Summary, options: DetectOptions) -> Summary:
    if not options.report:
        return summary
    from minet_core.runs.review.report import write_report

    return replace(summary, files=(*summary.files, write_report(summary.folder)))


def _with_exports(summary: Summary, options: DetectOptions) -> Summary:
    if not options.export_formats:
        return summary
    from minet_core.exports import export_result

    exported = export_result(
        summary.folder, options.export_formats, again=False, overwrite=options.overwrite
    )
    files = (file for export in exported for file in export.files)
    lines = (line for export in exported for line in export.warnings)
    return replace(summary, files=(*summary.files, *files), warnings=(*summary.warnings, *lines))


def _run(
    source: str | Path,
    folder: Path,
    model: Model | None,
    options: DetectOptions,
    progress: Progress | None,
) -> Summary:
    with open_run(source, folder, model, options) as run:
        with closing(run.frames()) as frames:
            for looked in frames:
                found = run.write(looked)
                if progress is not None:
                    progress(found, run.info)
        return run.publish()
