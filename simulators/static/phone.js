"use strict";
// The fake phone. Everything that came from outside is put in by textContent, never as HTML.

const KINDS = { sms: "短信", wechat: "微信", alipay: "支付宝", wxpay: "微信支付" };
const STEPS = {
  ordered: "已下单", called_off: "已取消", accepted: "网点接单", courier: "分配快递员", picked: "取件", collected: "揽收",
  waybill: "出运单号", in_transit: "运输", arrived: "到达", out_for_delivery: "派件", locker: "投柜", signed: "签收",
  signed_after_exception: "异常后签收", signed_by_other: "代收", picked_from_locker: "柜中取出", not_signed: "超时未签收",
  refused: "拒收", lost: "遗失", returned: "退回签收", cancelled: "快递取消", dispatch_failed: "调度失败",
  reassigned: "改派", fake_collection: "虚假揽件", weight_changed: "重量变更", waybill_changed: "换单号", fee_settled: "费用结算",
};
const TROUBLE = new Set(["refused", "lost", "returned", "cancelled", "dispatch_failed"]);
const byId = (id) => document.getElementById(id);
let phone = decodeURIComponent(location.hash.slice(1));
let shown = "";

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function card(...children) {
  const box = make("article", undefined, "card");
  box.append(...children);
  return box;
}

function head(kind, at) {
  const line = make("p", undefined, "quiet");
  line.append(make("span", KINDS[kind], "tag " + kind), at || "");
  return line;
}

function button(label, className, path, body) {
  const element = make("button", label, className);
  element.type = "button";
  element.addEventListener("click", async () => {
    element.disabled = true;
    await send(path, body);
    await refresh(true);
  });
  return element;
}

async function send(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  complain(answer.ok ? "" : "没有成功：" + ((await answer.json()).error || answer.status));
}

function complain(text) {
  byId("trouble").textContent = text;
  byId("trouble").hidden = !text;
}

function drawMessage(message) {
  const top = head(message.kind, message.at);
  if (message.kind === "sms") {
    if (message.lost) top.prepend(make("span", "未送达", "tag lost"));
    return card(top, make("p", message.text));
  }
  const list = make("dl");
  for (const field of message.fields) list.append(make("dt", field.label || field.key), make("dd", field.value));
  return card(top, make("p", message.title), list, make("p", message.page, "quiet"));
}

function drawPayment(payment) {
  const row = make("div", undefined, "row");
  const ask = (decision) => ({ provider: payment.provider, number: payment.number, decision });
  row.append(button("同意", "go", "/phone/decide", ask("approve")), button("拒绝", "stop", "/phone/decide", ask("refuse")));
  return card(head(payment.provider, payment.number), make("p", "¥ " + payment.amount, "sum"), make("p", payment.title), row);
}

function drawParcel(parcel) {
  const row = make("div", undefined, "row");
  for (const [place, to] of parcel.next.entries()) {
    const look = TROUBLE.has(to) ? "stop" : place === 0 ? "go" : "";
    row.append(button(STEPS[to] || to, look, "/phone/step", { order_code: parcel.order_code, to }));
  }
  const traces = make("ul");
  for (const trace of parcel.traces) traces.append(make("li", trace.AcceptTime + " " + trace.AcceptStation));
  return card(
    make("p", (parcel.sender || "寄件人") + " → " + (parcel.receiver || "收件人")),
    make("p", "状态：" + (STEPS[parcel.step] || parcel.step)),
    make("p", parcel.shipper + " " + (parcel.logistic_code || "运单号未生成"), "quiet"),
    make("p", parcel.goods.join("、"), "quiet"), traces, row,
  );
}

function fill(id, things, draw, nothing) {
  byId(id).replaceChildren(...(things.length ? things.map(draw) : [make("p", nothing, "quiet")]));
}

function drawPeople(people) {
  byId("who").replaceChildren(...people.map((person) => {
    const option = make("option", person.name ? person.name + " " + person.phone : person.phone);
    option.value = person.phone;
    return option;
  }));
  byId("who").value = phone;
}

async function refresh(anyway) {
  let state;
  try {
    state = await (await fetch("/phone/state?phone=" + encodeURIComponent(phone))).json();
  } catch {
    return complain("连不上模拟器，稍后自动重试。");
  }
  phone = state.phone;
  byId("clock").textContent = "城里的时间 " + state.clock;
  const { clock, ...rest } = state;
  const text = JSON.stringify(rest);
  if (text === shown && !anyway) return;
  shown = text;
  if (!state.people.some((person) => person.phone === phone)) state.people.push({ name: "", phone });
  drawPeople(state.people);
  fill("payments", state.payments, drawPayment, "没有等待付款的订单");
  fill("messages", state.messages, drawMessage, "还没有消息");
  fill("parcels", state.parcels, drawParcel, "没有包裹");
}

function open(number) {
  phone = number;
  location.hash = encodeURIComponent(number);
  complain("");
  refresh(true);
}

byId("who").addEventListener("change", (event) => open(event.target.value));
byId("other").addEventListener("submit", (event) => {
  event.preventDefault();
  if (/^1\d{10}$/.test(byId("number").value)) open(byId("number").value);
  else complain("请输入11位手机号。");
});
refresh(true);
setInterval(() => { if (!document.hidden) refresh(false); }, 2000);
