"""Storage: versions pushed to and pulled from any place that fsspec knows: a folder, S3, Google Cloud, SFTP."""

from __future__ import annotations

from pipeline.storage.manifest import LATEST, Manifest
from pipeline.storage.pulling import listed, pull
from pipeline.storage.pushing import push
from pipeline.storage.remote import Remote, masked
from pipeline.storage.transfer import Transfer

__all__ = ["LATEST", "Manifest", "Remote", "Transfer", "listed", "masked", "pull", "push"]
