"""The market data: listed with its quality in words, drawn, loaded from a file; a bad file leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from research.dashboard import uploads
from research.dashboard.selectors.charts_closes import MOST_POINTS, closes_plot, thinned
from research.models import Dataset, Event
from research.services import datasets
from tests.integration.services_data import rows
from workers.market.csvfile import write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from django.http import HttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = "timestamp,open,high,low,close,volume"


def send(client: Client, content: bytes, **fields: str) -> HttpResponse:
    file = SimpleUploadedFile("mine.csv", content, content_type="text/csv")
    return client.post("/data", {"file": file, "symbol": "MINE", "timeframe": "1d", **fields})


def test_an_operator_loads_a_file_and_sees_it_drawn(operator: Client) -> None:
    answer = send(operator, write_csv(rows.bars(symbol="MINE")), note="my broker")
    row = Dataset.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/data/{row.pk}")
    assert (row.symbol, row.bars, row.source, row.note) == ("MINE", 60, "mine.csv", "my broker")
    assert datasets.read(row).sha256 == rows.bars(symbol="MINE").sha256
    assert Event.objects.get(code="dataset.loaded").user == "olga"
    page = body(operator.get(answer["Location"]))
    assert "60 bars of MINE are loaded." in page
    assert '<path class="plot-line series-1" d="M' in page
    assert "my broker" in page
    send(operator, write_csv(rows.bars(symbol="MINE")))
    assert "60 bars of MINE were loaded before." in body(operator.get("/data"))


def test_a_file_with_errors_is_refused_with_line_and_reason_and_nothing_is_stored(
    operator: Client, blob_dir: Path
) -> None:
    bad = f"{HEADER}\n2020-01-01,1,2,0.5,1,10\n2020-01-02,1,x,1,1,10\n2020-01-03,1,1,2,1,10\n"
    answer = send(operator, bad.encode())
    page = body(answer)
    assert answer.status_code == 422
    assert "mine.csv: The data cannot be used; correct the file and load it again." in page
    assert "line 3: high &#x27;x&#x27; is no number" in page
    assert "line 4: high is below low" in page
    assert "Nothing was stored." in page
    assert 'value="MINE"' in page
    assert not Dataset.objects.exists()
    assert not [path for path in blob_dir.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "fields", "says"),
    [
        (b"\xff\xfe\x00", {}, "is not UTF-8 text"),
        (b"a,b\n1,2\n", {}, "the header has no column timestamp"),
        (HEADER.encode(), {}, "there are no bars under the header"),
        (HEADER.encode(), {"symbol": "no good!"}, "cannot be a symbol"),
        (HEADER.encode(), {"timeframe": "7d"}, "Select a valid choice"),
        (b"", {}, "The submitted file is empty"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_words(
    operator: Client, content: bytes, fields: dict[str, str], says: str
) -> None:
    answer = send(operator, content, **fields)
    assert (answer.status_code, says in body(answer)) == (422, True)
    assert not Dataset.objects.exists()


def test_a_file_that_is_too_large_is_refused_with_the_way_round(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_MIB", 4)
    answer = send(operator, write_csv(rows.bars(symbol="MINE")))
    assert (answer.status_code, "manage.py data load FILE" in body(answer)) == (422, True)


def test_a_viewer_reads_but_loads_nothing(viewer: Client) -> None:
    assert "An operator can load some." in body(viewer.get("/data"))
    row = rows.dataset()
    page = body(viewer.get("/data"))
    assert f'href="/data/{row.pk}"' in page
    assert "<form" not in page.split("<main")[1]
    assert send(viewer, b"x").status_code == 403
    assert Dataset.objects.count() == 1


def test_quality_is_told_in_words_and_earlier_loads_are_marked(operator: Client) -> None:
    bars = rows.bars(80)
    gaps = np.r_[0:20, 60:80]
    lines = write_csv(bars).decode().splitlines()
    send(operator, "\n".join([lines[0], *(lines[1 + place] for place in gaps)]).encode(), symbol="ACME")
    early = Dataset.objects.get()
    rows.research()
    page = body(operator.get("/data"))
    assert "an earlier load" in line_of(page, early.pk)
    assert "1 warning<" in line_of(page, early.pk)
    detail = body(operator.get(f"/data/{early.pk}"))
    assert "An earlier load" in detail
    assert "(line 22)" in detail
    assert "the longest of 40." in detail


def test_damaged_bars_are_said_to_be(viewer: Client, blob_dir: Path) -> None:
    row = rows.dataset()
    (blob_dir / row.blob).write_bytes(b"nonsense")
    page = body(viewer.get(f"/data/{row.pk}"))
    assert "The bars cannot be read" in page
    assert "Load the file again to mend it." in page
    assert viewer.get("/data/999").status_code == 404


def test_a_long_history_is_thinned_and_keeps_its_extremes() -> None:
    bars = rows.bars(50_000)
    at = thinned(bars.close, MOST_POINTS)
    assert len(at) <= MOST_POINTS
    assert (at[0], at[-1]) == (0, 49_999)
    assert {int(bars.close.argmin()), int(bars.close.argmax())} <= set(at.tolist())
    assert len(closes_plot(rows.bars(1)).lines) == 1


def line_of(text: str, pk: int) -> str:
    return text.split(f'id="dataset-{pk}"', maxsplit=1)[1].split("</tr>", maxsplit=1)[0]


def body(answer: HttpResponse) -> str:
    return answer.content.decode()
