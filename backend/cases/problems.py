"""What can go wrong with a case, in the words the citizen or the officer reads.

NotFound ── UploadNotFound · Forbidden ── LinkExpired · UnsupportedMedia ── UploadTypeWrong · TooMany ── TooManyUploads
Conflict ── CorrectionOpen · NotReopenable · FeeStillDue · OriginalsAwaited ·
            ExtendedAlready · ExtensionNotOffered · PreReviewNotOffered · ItemNotFiledHere
InvalidInput ── PointOutsideGuide · AnswerIncomplete · MaterialsMissing · MaterialUnknown ·
                MaterialModeRefused · UploadUnusable · DeliveryUnknown · ProcedureUnknown · UploadBroken ·
                UploadUnsafe
"""

from backend.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, TooMany, UnsupportedMedia


class UploadNotFound(NotFound):
    """Absent, somebody else's, or thrown away unused."""

    slug = "upload-not-found"
    title = "没有找到这份材料文件，请重新上传。"


class LinkExpired(Forbidden):
    """Older than five minutes, altered, or made for another viewer."""

    slug = "link-expired"
    title = "查看链接已失效，请返回办件页面重新打开。"


class CorrectionOpen(Conflict):
    """One consolidated notice at a time."""

    slug = "correction-open"
    title = "上一次补正通知尚未答复，请等待申请人补正后再提出。"


class NotReopenable(Conflict):
    """Closed longer ago than the term for reopening."""

    slug = "case-not-reopenable"
    title = "已超过可重新打开的期限，请重新提交申请。"


class FeeStillDue(Conflict):
    """The item wants its fee before the decision."""

    slug = "fee-still-due"
    title = "申请人尚未缴费，请待缴费后再作出决定。"


class OriginalsAwaited(Conflict):
    """Papers that travel by mail are not at the department yet."""

    slug = "originals-awaited"
    title = "邮寄的原件尚未收到，请核对收件后再受理。"


class ExtendedAlready(Conflict):
    """The law allows one extension."""

    slug = "case-extended-already"
    title = "办理期限只能延长一次，请在期限内作出决定。"


class ExtensionNotOffered(Conflict):
    """The item's guide knows no extension."""

    slug = "extension-not-offered"
    title = "该事项的办理期限不能延长，请在期限内作出决定。"


class PreReviewNotOffered(Conflict):
    """The item has no pre-review: it is accepted directly."""

    slug = "pre-review-not-offered"
    title = "该事项没有预审环节，请直接受理。"


class ItemNotFiledHere(Conflict):
    """Served by booking or bill, at the window only, or in another region."""

    slug = "item-not-filed-here"
    title = "该事项不通过网上申请办理，请按办事指南办理。"


class PointOutsideGuide(InvalidInput):
    """A correction may name only what the guide version of the case asks for (BZ-34)."""

    slug = "point-outside-guide"
    title = "不得要求办事指南以外的材料或信息，请按指南填写补正内容。"


class AnswerIncomplete(InvalidInput):
    """An answer covers exactly what the notice asked for."""

    slug = "answer-incomplete"
    title = "还有要求补正的内容没有提供，请补齐后一次提交。"


class MaterialsMissing(InvalidInput):
    """Required materials that were not given; all of them are listed."""

    slug = "materials-missing"
    title = "缺少必须提交的材料，请补齐后提交。"


class MaterialUnknown(InvalidInput):
    """The guide asks for no such material, or it was given twice."""

    slug = "material-unknown"
    title = "材料不在办事指南中，请按指南列出的材料提交。"


class MaterialModeRefused(InvalidInput):
    """The guide does not take this material this way."""

    slug = "material-mode-refused"
    title = "这份材料不能用这种方式提交，请换一种方式。"


class UploadUnusable(InvalidInput):
    """Absent, somebody else's, or used already."""

    slug = "upload-unusable"
    title = "上传的文件不存在或已被使用，请重新上传。"


class DeliveryUnknown(InvalidInput):
    """The item's result does not travel this way, or the address is missing."""

    slug = "delivery-unknown"
    title = "该事项不支持这种领取方式，请选择其他方式。"


class ProcedureUnknown(InvalidInput):
    """The guide names no such special procedure."""

    slug = "procedure-unknown"
    title = "该事项的办事指南没有这项特别程序，请核对后填写。"


class ReasonMissing(InvalidInput):
    """A denial says why."""

    slug = "reason-missing"
    title = "不予的决定必须说明理由，请填写理由。"


class TooManyUploads(TooMany):
    """Too many files wait unused."""

    slug = "too-many-uploads"
    title = "上传了太多还没有使用的文件，请先提交申请或稍后再传。"


class UploadTypeWrong(UnsupportedMedia):
    """Not a JPEG, PNG or PDF by its content, or not what it was declared as."""

    slug = "upload-type-wrong"
    title = "只能上传 JPEG、PNG 照片或 PDF 文件，请更换后上传。"


class UploadBroken(InvalidInput):
    """Cannot be decoded, or swells beyond reason."""

    slug = "upload-broken"
    title = "文件打不开，请重新拍照或导出后上传。"


class UploadUnsafe(InvalidInput):
    """Scripts, actions, attachments or a password inside."""

    slug = "upload-unsafe"
    title = "文件含有脚本、附件或密码，请另存为普通 PDF 后上传。"
