import json
from pathlib import Path

from tests.cli.conftest import Type
from tests.store.doors import ask


def test_a_citys_sites_are_taken_from_a_file(empty_town: str, type_in: Type, tmp_path: Path) -> None:
    assert type_in("open").exit_code == 0
    [given] = [
        one for one in json.loads(Path("data/sites.json").read_text("utf-8")) if one["kind"] == "postal"
    ]
    file = tmp_path / "sites.json"
    new = {**given, "id": "si-new", "groups": [], "patterns": []}
    file.write_text(json.dumps([given, new], ensure_ascii=False), "utf-8")
    assert type_in("import-sites", str(file)).output == "1 new, 0 changed, 1 as they were\n"
    assert ask("SELECT count(*) FROM booking_site WHERE id = 'si-new'") == 1
    file.write_text(json.dumps([given, {**new, "id": "si-other", "phone": "打给我"}]), "utf-8")
    refused = type_in("import-sites", str(file))
    assert (refused.exit_code, refused.output) == (
        1,
        "nothing was taken: 1 findings\n  [1].phone  格式不正确\n",
    )
    file.write_text('[{"id": 1,\n oops', "utf-8")
    broken = type_in("import-sites", str(file))
    assert (broken.exit_code, broken.output) == (1, "nothing was taken: line 2, column 2 is no JSON\n")
