"use strict";
const cashier = document.querySelector(".cashier");
const trouble = document.getElementById("trouble");

async function decide(decision) {
  const { provider, number, back } = cashier.dataset;
  const answer = await fetch("/phone/decide", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ provider, number, decision }),
  });
  if (!answer.ok) {
    trouble.textContent = "没有成功：" + (await answer.json()).error;
    trouble.hidden = false;
  } else if (back) {
    location.assign(back);
  } else {
    location.reload();
  }
}

for (const button of document.querySelectorAll("button[data-decision]")) {
  button.addEventListener("click", () => decide(button.dataset.decision));
}
