"""Every test gets a blob folder of its own."""

from tests.support.blobs import blob_dir

__all__ = ["blob_dir"]
