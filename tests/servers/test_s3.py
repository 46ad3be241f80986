"""The S3 server that tests start: a real one, whose signatures count, and whose conditions hold for all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.servers.s3 import BUCKET, Server, s3_server


def test_a_wrong_secret_is_refused(s3: Server) -> None:
    with pytest.raises(Exception, match="SignatureDoesNotMatch"):
        replace(s3, secret="wrong").client().list_objects_v2(Bucket=BUCKET)


def test_of_eight_who_put_an_object_that_must_not_be_there_one_does(s3: Server) -> None:
    clients = [s3.client() for _ in range(8)]

    def put(number: int) -> bool:
        client = clients[number % 8]
        try:
            client.put_object(Bucket=BUCKET, Key=f"race/{number // 8}", Body=b"x", IfNoneMatch="*")
        except client.exceptions.ClientError as error:
            return "PreconditionFailed" not in str(error)
        return True

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(put, range(8 * 20)))
    assert [sum(made[start : start + 8]) for start in range(0, len(made), 8)] == [1] * 20


def test_at_the_end_it_is_gone() -> None:
    with s3_server() as running:
        assert running.bucket.is_dir()
    assert not running.folder.exists()
