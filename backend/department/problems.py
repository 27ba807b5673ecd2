"""What can go wrong at the departments' window itself; houses tell their own problems."""

from backend.kernel.problems import Conflict


class ApplicantUnknown(Conflict):
    """Nobody with this ID number is registered yet."""

    slug = "applicant-unknown"
    title = "没有找到这位申请人，请先在窗口为其登记身份。"
