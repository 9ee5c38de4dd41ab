"""Generate everything under generated/ from the protos: `make gen`.

With --check nothing is written: the output is compared byte for byte with what is committed, and
each file that differs is named. The sources of google.api and google.rpc come from the pinned
googleapis-common-protos wheel and those of buf.validate from the pinned protovalidate wheel.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path

import google.rpc
import stubs
from google.protobuf import descriptor_pb2
from grpc_tools import protoc  # type: ignore[import-untyped]
from protovalidate._gen.buf.validate import validate_pb

PROTOS = Path(__file__).parent
GENERATED = PROTOS.parent / "generated"
DESCRIPTORS = "tintype/descriptors.binpb"


def validate_descriptors() -> bytes:
    """buf/validate/validate.proto as a descriptor set, taken from the protovalidate wheel."""
    files = descriptor_pb2.FileDescriptorSet()
    files.file.add().ParseFromString(validate_pb.desc().proto.to_binary())
    return files.SerializeToString()


def include_paths() -> list[str]:
    """Where protoc looks for imports: our protos, google.api and google.rpc, google.protobuf."""
    googleapis = Path(next(iter(google.rpc.__path__))).parent.parent
    well_known = resources.files("grpc_tools") / "_proto"
    return [str(PROTOS), str(googleapis), str(well_known)]


def run_protoc(*arguments: str) -> None:
    """Run protoc and stop with its own message where it refuses."""
    if protoc.main(["protoc", *arguments]) != 0:
        sys.exit("protoc failed: see its message above")


def generate(output: Path) -> None:
    """Write the Python modules, their type stubs and the descriptor set into ``output``."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        validate = Path(scratch) / "validate.binpb"
        validate.write_bytes(validate_descriptors())
        inputs = [f"--descriptor_set_in={validate}", *(f"-I{path}" for path in include_paths())]
        languages = [f"--python_out={output}", f"--pyi_out={output}"]
        run_protoc(*inputs, *languages, f"--grpc_python_out={output}", *sources)
        run_protoc(*inputs, *languages, "buf/validate/validate.proto")
        run_protoc(
            *inputs,
            f"--descriptor_set_out={output / DESCRIPTORS}",
            "--include_imports",
            "--include_source_info",
            *sources,
            "google/rpc/error_details.proto",
        )
    for unused in output.rglob("*_pb2_grpc.py"):
        if "class " not in unused.read_text():
            unused.unlink()
    stubs.write(output / DESCRIPTORS, output)


def differences(wanted: Path, present: Path) -> list[str]:
    """Files that differ between the two folders, or are in one of them only."""

    def names(folder: Path) -> set[str]:
        return {
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    both = names(wanted) & names(present)
    changed = {name for name in both if not filecmp.cmp(wanted / name, present / name, shallow=False)}
    return sorted(changed | (names(wanted) ^ names(present)))


def _replace(source: Path, target: Path) -> None:
    """Make ``target`` what ``source`` is: the same file, or none."""
    if not source.exists():
        target.unlink()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def main() -> None:
    """Parse the flags and generate or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the output differs")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch)
        generate(output)
        if not check:
            for name in differences(output, GENERATED):
                _replace(output / name, GENERATED / name)
            return
        if drift := differences(output, GENERATED):
            sys.exit("generated/ differs from the protos; run `make gen`:\n  " + "\n  ".join(drift))


if __name__ == "__main__":
    main()
