"""The errors of the S3 client in the words of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import urllib3.exceptions
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from mesh.blobs.contract import BlobError, BlobMissing, BlobRefused, BlobTooLarge, BlobUnavailable

_MISSING = {"NoSuchKey", "NoSuchUpload", "ResourceNotFound"}
_PASSING = {
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "XMinioServerNotInitialized",
}


@contextmanager
def translated() -> Iterator[None]:
    """Run S3 requests so that only errors of the contract come out."""
    try:
        yield
    except S3Error as error:
        raise _from_code(error) from error
    except (ServerError, InvalidResponseError) as error:
        raise _from_status(error) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise BlobUnavailable(f"the S3 store does not answer: {error}") from error
    except (MinioException, ValueError) as error:
        raise BlobRefused(str(error)) from error


def _from_code(error: S3Error) -> BlobError:
    said = f"{error.code}: {error.message}"
    if error.code in _MISSING:
        return BlobMissing(f"{error.object_name or error.resource} is not in the store ({error.code})")
    if error.code in _PASSING or error.response.status >= 500:
        return BlobUnavailable(f"the S3 store answered {said}")
    if error.code == "EntityTooLarge":
        return BlobTooLarge(said)
    if error.code == "NoSuchBucket":
        return BlobRefused(f"bucket {error.bucket_name} does not exist: create it, or call ensure_bucket at start")
    return BlobRefused(f"the S3 store refused: {said}")


def _from_status(error: ServerError | InvalidResponseError) -> BlobError:
    status = error.status_code if isinstance(error, ServerError) else error._code
    if status >= 500 or status == 429:
        return BlobUnavailable(f"the S3 store answered {status}")
    return BlobRefused(f"the S3 store answered {status}: {error}")
