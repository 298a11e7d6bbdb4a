"""Every test gets a blob folder of its own, and the row of the cover that a flush took away."""

from tests.support.blobs import blob_dir

__all__ = ["blob_dir"]
