import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel import privacy

ID_NO = "11010519491231002X"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("测试", "测*"),
        ("测试甲", "测**"),
        ("欧阳测试", "欧阳**"),
        ("欧阳甲", "欧阳*"),
        ("欧阳", "欧*"),
        ("测", "测*"),
        ("测试·甲乙丙丁", "测**"),
        ("Test Person", "T**"),
        ("𠮷甲", "𠮷*"),
        ("", ""),
    ],
)
def test_a_name_shows_only_its_surname(name: str, shown: str) -> None:
    assert privacy.mask_name(name) == shown


@pytest.mark.parametrize(
    ("name", "surname"), [("司马甲", "司马"), ("司马", "司"), ("测试甲", "测"), ("", "")]
)
def test_double_surnames_are_known(name: str, surname: str) -> None:
    assert privacy.surname(name) == surname


@pytest.mark.parametrize(
    ("number", "shown"), [(ID_NO, "110105********002X"), ("E12345678", "E*******8"), ("12", "**"), ("", "")]
)
def test_a_document_number_shows_its_ends(number: str, shown: str) -> None:
    assert privacy.mask_id_no(number) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [("13800138000", "138****8000"), ("05581234567", "055****4567"), ("12345", "***45"), ("1", "*")],
)
def test_a_phone_number_hides_its_middle(phone: str, shown: str) -> None:
    assert privacy.mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("安徽省亳州市谯城区薛阁街道芍花路18号3栋201室", "安徽省亳州市谯城区薛阁街道***"),
        ("安徽省亳州市谯城区芍花路18号", "安徽省亳州市谯城区芍花路***"),
        ("亳州市蒙城县乐土镇测试村5号", "亳州市蒙城县乐土镇***"),
        ("谯城区希夷大道99号", "谯城区希夷大道***"),
        ("江西省景德镇市珠山区测试路1号", "江西省景德镇市珠山区测试路***"),
        ("江苏省镇江市京口区18号", "江苏省镇江市京口区***"),
        ("广西壮族自治区南宁市青秀区民族大道1号", "广西壮族自治区南宁市青秀区民族大道***"),
        ("某处3栋201室", "***"),
        ("", ""),
    ],
)
def test_an_address_ends_at_its_street(address: str, shown: str) -> None:
    assert privacy.mask_address(address) == shown


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (f"id={ID_NO}", "id=110105********002X"),
        (f"身份证{ID_NO.lower()}，", "身份证110105********002x，"),
        ("440524188001010014", "440524********0014"),
        ('{"phone":"13800138000"}', '{"phone":"138****8000"}'),
        ("拨打13800138000或+8613900139000", "拨打138****8000或+86139****9000"),
        ("138 0013 8000 138-0013-8000", "138****8000 138****8000"),
        ("Authorization: Bearer abc.DEF-123_~+/== end", "Authorization: Bearer *** end"),
        ("bearer  abc", "bearer  ***"),
        ("notice 12345678901380013800", "notice 12345678901380013800"),
        (
            "at 1763712000000 paid 4200001234202611211234567890",
            "at 1763712000000 paid 4200001234202611211234567890",
        ),
        ("case cs-01kahx3v8n2m7q4t9w6y5z0bcd state=paid", "case cs-01kahx3v8n2m7q4t9w6y5z0bcd state=paid"),
        ("", ""),
    ],
)
def test_a_log_line_loses_what_is_private(line: str, kept: str) -> None:
    assert privacy.scrub(line) == kept


@settings(max_examples=60, deadline=None)
@given(before=st.text("ab 甲:\"'=,x", max_size=8), after=st.text("ab 甲:\"'=,x", max_size=8))
def test_private_numbers_are_found_in_any_surroundings(before: str, after: str) -> None:
    kept = privacy.scrub(f"{before}13800138000 {after}{ID_NO}{after}")
    assert "13800138000" not in kept
    assert ID_NO not in kept
    assert privacy.scrub(kept) == kept
