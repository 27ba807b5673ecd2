"""What can be refused to people at the door.

Problem
├── Unauthenticated      401
│   ├── TokenForged          not a token of ours
│   ├── TokenExpired         older than fifteen minutes: refresh
│   ├── WrongAudience        a token for another window
│   ├── RefreshUnknown       no such refresh token
│   ├── RefreshReused        spent before: the whole session ends
│   ├── LoginRefused         account, password or one-time code wrong
│   ├── SignatureWrong       a department system's signature does not hold
│   ├── ClockSkewed          ... its time is off by more than 300 seconds
│   └── NonceReused          ... its nonce was heard before
├── Forbidden            403
│   ├── RealNameNeeded       the matter needs a verified identity
│   ├── PhoneNeeded          the matter needs a proven phone
│   ├── GuardianNeeded       under fourteen
│   ├── EnrolmentNeeded      one-time codes are not set up yet
│   ├── PasswordTooOld       older than ninety days
│   ├── OutsideYourScope     another department or region
│   └── ProveItIsYou         only a number speaks for a verified person: give the ID tail
├── NotFound             404
│   ├── AddressNotFound
│   └── ConsentUnknown
├── Conflict             409
│   ├── AlreadyVerified  ConsentOutdated  RegisteredElsewhere  PhoneTaken
│   └── AddressBookFull  AccountTaken  RiderKnown  RolesClash  EnrolmentEnded
├── InvalidInput         422
│   └── IdentityMismatch  PasswordTooWeak  WrongCode  LoginCodeRefused
└── TooMany              429
    └── CodeTooSoon  TooManyTries  AccountLocked
"""

from backend.kernel.problems import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TooMany,
    Unauthenticated,
    members,
)


class TokenForged(Unauthenticated):
    """Not signed by us, altered, or no token at all in shape."""

    slug = "token-forged"
    title = "登录凭证无法识别，请重新登录。"


class TokenExpired(Unauthenticated):
    """A genuine access token past its fifteen minutes: the client refreshes."""

    slug = "token-expired"
    title = "登录凭证已过期，请刷新登录状态。"


class WrongAudience(Unauthenticated):
    """A genuine token that opens another window."""

    slug = "wrong-audience"
    title = "这个登录凭证不能用于此处，请用对应的身份登录。"


class RefreshUnknown(Unauthenticated):
    """No refresh token of ours, or of another window."""

    slug = "refresh-unknown"
    title = "登录已失效，请重新登录。"


class RefreshReused(Unauthenticated):
    """A refresh token that was spent before: somebody holds a copy, so the whole session ends."""

    slug = "refresh-reused"
    title = "为保护您的账号，这次登录已全部退出，请重新登录。"


class LoginRefused(Unauthenticated):
    """Account, password or one-time code is wrong; which one is not said."""

    slug = "login-refused"
    title = "账号、密码或动态口令不正确，请核对后重试。"


class SignatureWrong(Unauthenticated):
    """The signature of a department's system does not hold, or its key is not in use."""

    slug = "signature-wrong"
    title = "请求签名不正确，请核对密钥和签名方法。"


class ClockSkewed(Unauthenticated):
    """The time in a signed request differs from ours by more than 300 seconds."""

    slug = "clock-skewed"
    title = "请求时间与本系统相差超过 300 秒，请校准时钟。"


class NonceReused(Unauthenticated):
    """The nonce of a signed request was heard before."""

    slug = "nonce-reused"
    title = "请求编号已使用过，请换新的编号重新签名。"


class RealNameNeeded(Forbidden):
    """The matter needs an identity verified by the authority."""

    slug = "real-name-needed"
    title = "办理这件事需要先完成实名登记。"


class PhoneNeeded(Forbidden):
    """The matter needs a phone number proven by its holder."""

    slug = "phone-needed"
    title = "请先验证手机号，再继续办理。"


class GuardianNeeded(Forbidden):
    """Under fourteen: a guardian registers at the window."""

    slug = "guardian-needed"
    title = "未满 14 周岁，请由监护人带证件到实名核验窗口办理。"


class EnrolmentNeeded(Forbidden):
    """The account exists, but its holder has not set up one-time codes."""

    slug = "enrolment-needed"
    title = "请先用开户时收到的绑定码设置动态口令。"


class PasswordTooOld(Forbidden):
    """The password is older than ninety days."""

    slug = "password-too-old"
    title = "密码已超过 90 天，请先修改密码。"


class OutsideYourScope(Forbidden):
    """The matter belongs to another department, region or role."""

    slug = "outside-your-scope"
    title = "这件事不在您的部门、区域或岗位职责范围内。"


class ProveItIsYou(Forbidden):
    """Only a number speaks for a verified person: from a new platform account, or after long silence."""

    slug = "prove-it-is-you"
    title = "为确认是本人登录，请填写这个手机号登记人身份证号的后四位。"


class AddressNotFound(NotFound):
    """No such address in this person's book."""

    slug = "address-not-found"
    title = "没有找到这个地址，请在地址簿中重新选择。"


class ConsentUnknown(NotFound):
    """There is no consent text of this scope."""

    slug = "consent-unknown"
    title = "没有这份告知书。"


class AlreadyVerified(Conflict):
    """The person is verified under another number; an error is corrected at the window."""

    slug = "already-verified"
    title = "您已完成实名登记；信息有误请到实名核验窗口更正。"


class ConsentOutdated(Conflict):
    """Consent was given to a text that is not the current one; `version` names the current one."""

    slug = "consent-outdated"
    extras = members(version=str)
    title = "个人信息告知书已更新，请阅读后重新同意。"


class RegisteredElsewhere(Conflict):
    """The ID number is registered with another phone; `phone` shows it masked."""

    slug = "registered-elsewhere"
    extras = members(phone=str)
    title = "这个身份证号已登记过，请用登记时的手机号收取验证码；手机号已停用的，请到实名核验窗口办理。"


class PhoneTaken(Conflict):
    """The number serves another verified person."""

    slug = "phone-taken"
    title = "这个手机号已用于另一位实名用户，请换一个号码，或到实名核验窗口办理。"


class AddressBookFull(Conflict):
    """Twenty addresses are enough."""

    slug = "address-book-full"
    title = "地址簿最多保存 20 个地址，请先删除不用的。"


class AccountTaken(Conflict):
    """Somebody has this staff account."""

    slug = "account-taken"
    title = "这个账号已被使用，请换一个。"


class RiderKnown(Conflict):
    """A courier with this phone is on the books."""

    slug = "rider-known"
    title = "这个手机号已登记为配送员。"


class RolesClash(Conflict):
    """System, security and audit administrator must be three people who work on nothing else (GB/T 22239)."""

    slug = "roles-clash"
    title = "系统、安全、审计管理员必须由三人分别担任，且不能兼任其他岗位。"


class EnrolmentEnded(Conflict):
    """The enrolment token is used, expired or not ours."""

    slug = "enrolment-ended"
    title = "绑定码已使用或已过期，请联系系统管理员重新发放。"


class IdentityMismatch(InvalidInput):
    """The authority knows no such person: name and number do not belong together."""

    slug = "identity-mismatch"
    title = "姓名与身份证号不一致，请按证件核对后重新填写。"


class PasswordTooWeak(InvalidInput):
    """The new password breaks the policy; `errors` says how."""

    slug = "password-too-weak"
    title = "密码不符合要求，请按提示重新设置。"


class WrongCode(InvalidInput):
    """The code by SMS is wrong, expired, used, or was guessed at too often; which one is not said."""

    slug = "wrong-code"
    title = "验证码不正确或已失效，请核对或重新获取。"


class LoginCodeRefused(InvalidInput):
    """The platform does not know the login code, or it was used before."""

    slug = "login-code-refused"
    title = "平台登录凭证已失效，请返回后重新登录。"


class CodeTooSoon(TooMany):
    """One code a minute, five an hour, ten a day."""

    slug = "code-too-soon"
    title = "验证码发送太频繁，请稍后再获取。"


class TooManyTries(TooMany):
    """Five tries of real-name registration a day."""

    slug = "too-many-tries"
    title = "今天核验次数过多，请明天再试，或到实名核验窗口办理。"


class AccountLocked(TooMany):
    """Five failures lock an account for fifteen minutes, also one that does not exist."""

    slug = "account-locked"
    title = "密码或动态口令错误次数过多，账号已锁定 15 分钟。"
