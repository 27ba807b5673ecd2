"""The departments' surface itself; the desks beside it put their endpoints on it."""

from backend.runtime.surface import Surface

dept = Surface("dept", "/dept/v1", audience="department", title="部门窗口：工作人员与部门业务系统")
