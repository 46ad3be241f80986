"""What S3's client says, as one of our errors; texts as Hadoop 3.4.2 and delta-rs write them."""

from __future__ import annotations

import pytest

from spark_jobs.failures import classify

PLACE = "s3a://lake/raw/a.csv"


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        (
            (
                f"java.nio.file.AccessDeniedException: {PLACE}: getFileStatus on {PLACE}: "
                "software.amazon.awssdk.services.s3.model.S3Exception: null (Service: S3, Status Code: 403)"
            ),
            "config",
            f"S3 refuses access to {PLACE}",
        ),
        (
            (
                f"org.apache.hadoop.fs.s3a.UnknownStoreException: `{PLACE}': getFileStatus on {PLACE}: "
                "software.amazon.awssdk.services.s3.model.S3Exception: The specified bucket does not exist"
            ),
            "config",
            f"there is no bucket for {PLACE}",
        ),
        (
            (
                "java.nio.file.AccessDeniedException: s3a://lake/raw: org.apache.hadoop.fs.s3a.auth."
                "NoAuthWithAWSException: No AWS Credentials provided by TemporaryAWSCredentialsProvider"
            ),
            "config",
            "nobody says who asks for s3a://lake/raw",
        ),
        (
            (
                f"org.apache.hadoop.net.ConnectTimeoutException: getFileStatus on {PLACE}: software.amazon.awssdk.core."
                "exception.SdkClientException: Unable to execute HTTP request: Connect to 127.0.0.1:9 failed"
            ),
            "infrastructure",
            f"the service of {PLACE} doesn't answer",
        ),
        (
            "java.io.IOException: CONDITIONAL_PUT_IGNORED: the store of s3a://lake overwrites a file\n\tat x",
            "config",
            "the store of s3a://lake overwrites a file",
        ),
    ],
)
def test_an_error_of_s3_says_what_to_do(text: str, kind: str, told: str) -> None:
    error = classify(RuntimeError(text), "extract.orders")
    assert (error.kind, error.where) == (kind, "extract.orders")
    assert error.what.startswith(told)


def test_other_errors_about_files_there_stay_what_they_are() -> None:
    error = classify(RuntimeError(f"[FAILED_READ_FILE.NO_HINT] Encountered error while reading file {PLACE}."), "x")
    assert error.kind == "data"
