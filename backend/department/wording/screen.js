(() => {
  const { calls, stream } = document.body.dataset;
  const MOST = 5;
  let poll = null;
  let known = null;

  const line = (name, text, kind) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const listed = (labels) => labels.slice(0, MOST).join("、") + (labels.length > MOST ? " 等" : "");
  const called = (call) => {
    const isFresh = known !== null && known.get(call.label) !== call.calls;
    const row = line("li", "", isFresh ? "fresh" : "");
    row.append(line("strong", call.label), " ", line("span", `请到 ${call.window} 号窗口`));
    return row;
  };
  const queue = (group) => {
    const row = line("p", `${group.letter} ${group.name}：`);
    row.append(line("b", group.waiting), " 人等候");
    return row;
  };
  const show = (screen) => {
    const open = screen.calls.filter((call) => call.open);
    const done = screen.calls.filter((call) => !call.open).map((call) => call.label);
    const list = document.getElementById("calls");
    list.dataset.open = open.length;
    list.dataset.many = open.length > 9 ? "many" : open.length > 4 ? "some" : "few";
    list.replaceChildren(...(open.length ? open.map(called) : [line("li", "暂时没有叫号，请稍候", "none")]));
    known = new Map(open.map((call) => [call.label, call.calls]));
    document.getElementById("groups").replaceChildren(...screen.groups.map(queue));
    const passed = screen.groups.flatMap((group) => group.passed);
    document.getElementById("passed").textContent = passed.length ? `过号 ${listed(passed)}` : "";
    document.getElementById("done").textContent = done.length ? `已叫过 ${done.slice(0, MOST).join("、")}` : "";
    document.body.classList.remove("stale");
  };
  const read = (answer) => (answer.ok ? answer.json() : Promise.reject(answer.status));
  const look = () => fetch(calls).then(read).then(show).catch(() => document.body.classList.add("stale"));
  const listen = () => {
    const source = new EventSource(stream);
    source.onmessage = (news) => {
      clearInterval(poll);
      poll = null;
      show(JSON.parse(news.data));
    };
    source.onerror = () => {
      poll ??= setInterval(look, 5000);
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 30000);
    };
  };
  listen();
})();
