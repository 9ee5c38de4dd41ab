"""The trial services' generated code: made of the protos beside this file when the tests begin."""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module, resources
from pathlib import Path
from types import ModuleType

from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

HERE = Path(__file__).parent
PROTOS = HERE.parent.parent / "protos"


def compiled(*sources: str) -> list[ModuleType]:
    """Messages and stubs of each of these protos, made anew; nothing is written to the repository."""
    from google.protobuf import descriptor_pb2

    output = tempfile.mkdtemp(prefix="trial-protos-")
    files = descriptor_pb2.FileDescriptorSet()
    files.file.add().ParseFromString(validate_pb.desc().proto.to_binary())
    validate = Path(output, "validate.binpb")
    validate.write_bytes(files.SerializeToString())
    known = str(resources.files("grpc_tools") / "_proto")
    arguments = [f"--descriptor_set_in={validate}", f"-I{HERE}", f"-I{PROTOS}", f"-I{known}"]
    assert protoc.main(["", *arguments, f"--python_out={output}", f"--grpc_python_out={output}", *sources]) == 0
    sys.path.insert(0, output)
    return [import_module(source.replace(".proto", kind)) for source in sources for kind in ("_pb2", "_pb2_grpc")]


def ruleless(name: str, rule: bytes = b"", *, bidirectional: bool = False) -> ModuleType:
    """A descriptor of a service whose one method carries this rule, made without protoc."""
    from google.protobuf import descriptor_pb2, descriptor_pool

    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto", package=f"tintype.{name}.v1", syntax="proto3", dependency=["tintype/type/v1/rule.proto"]
    )
    file.message_type.add(name="Nothing")
    method = file.service.add(name="Service").method.add(
        name="Do", input_type=f".{file.package}.Nothing", output_type=f".{file.package}.Nothing"
    )
    method.client_streaming = method.server_streaming = bidirectional
    method.options.MergeFromString(rule)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return pool.FindServiceByName(f"{file.package}.Service")


trial_pb2, trial_pb2_grpc, trial_edge_pb2, trial_edge_pb2_grpc = compiled("trial.proto", "trial_edge.proto")
