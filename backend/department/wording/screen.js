(() => {
  const { calls, stream } = document.body.dataset;
  let poll = null;

  const line = (name, text) => {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  };
  const called = (call) => {
    const row = line("li", ` 请到 ${call.window} 号窗口`);
    row.prepend(line("strong", call.label));
    if (call.open) row.className = "open";
    return row;
  };
  const queue = (group) => {
    const passed = group.passed.length ? `；过号：${group.passed.join("、")}` : "";
    return line("p", `${group.name}（${group.letter}）：还有 ${group.waiting} 人等候${passed}`);
  };
  const show = (screen) => {
    const rows = screen.calls.map(called);
    document.getElementById("calls").replaceChildren(...(rows.length ? rows : [line("li", "暂时没有叫号")]));
    document.getElementById("groups").replaceChildren(...screen.groups.map(queue));
  };
  const look = () => fetch(calls).then((answer) => answer.json()).then(show).catch(() => {});
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
