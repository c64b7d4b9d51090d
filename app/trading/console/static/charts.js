// The two charts: equity of the account, and candles of one symbol with the fills on them.
"use strict";

const charts = (() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const day = (timestamp) => timestamp.slice(0, 10);
  const made = [];

  const look = () => ({
    layout: { background: { color: "transparent" }, textColor: colour("dim"), fontSize: 11 },
    grid: { vertLines: { visible: false }, horzLines: { color: colour("line") } },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, rightOffset: 3 },
    crosshair: { mode: 0 },
  });

  const make = (id, logo) => {
    const chart = LightweightCharts.createChart(document.getElementById(id), { ...look(), autoSize: true });
    chart.applyOptions({ layout: { attributionLogo: logo } });
    made.push(chart);
    return chart;
  };

  const equityChart = make("equity-chart", false);
  const equity = equityChart.addSeries(LightweightCharts.AreaSeries, { lineWidth: 2, priceLineVisible: false, priceFormat: { type: "custom", minMove: 1, formatter: (money) => Math.round(money).toLocaleString("en") } });
  const marketChart = make("market-chart", true);
  const candles = marketChart.addSeries(LightweightCharts.CandlestickSeries, { borderVisible: false });
  const volume = marketChart.addSeries(LightweightCharts.HistogramSeries,
    { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
  marketChart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
  const markers = LightweightCharts.createSeriesMarkers(candles, []);

  let symbol = "";
  let shown = [];
  let newest = "";
  let newestEquity = "";

  const paint = () => {
    made.forEach((chart) => chart.applyOptions(look()));
    equity.applyOptions({ lineColor: colour("accent"), topColor: `${colour("accent")}44`, bottomColor: `${colour("accent")}00` });
    candles.applyOptions({ upColor: colour("gain"), downColor: colour("loss"), wickUpColor: colour("gain"), wickDownColor: colour("loss") });
    volume.applyOptions({ color: colour("volume") });
  };

  const candle = (bar) => ({ time: day(bar.timestamp), open: +bar.open, high: +bar.high, low: +bar.low, close: +bar.close });
  const bulk = (bar) => ({ time: day(bar.timestamp), value: bar.volume });

  const mark = (fill) => ({
    time: day(fill.bar_timestamp),
    position: fill.side === "buy" ? "belowBar" : "aboveBar",
    shape: fill.side === "buy" ? "arrowUp" : "arrowDown",
    color: colour(fill.side === "buy" ? "gain" : "loss"),
    size: 1,
  });

  // One arrow a day and side, or a busy day would hide its candle.
  const drawMarks = () => {
    const one = new Map(shown.map((fill) => [`${day(fill.bar_timestamp)}${fill.side}`, fill]));
    markers.setMarkers([...one.values()].map(mark).sort((a, b) => (a.time < b.time ? -1 : 1)));
  };

  const read = async (path) => {
    const answer = await fetch(path);
    return answer.ok ? answer.json() : null;
  };

  const loadEquity = async () => {
    const answer = await read("/api/equity?limit=1000");
    if (!answer) return;
    equity.setData(answer.points.map((point) => ({ time: day(point.bar_timestamp), value: +point.equity })));
    newestEquity = answer.points.length ? day(answer.points.at(-1).bar_timestamp) : "";
    equityChart.timeScale().fitContent();
  };

  const loadMarket = async (wanted) => {
    symbol = wanted;
    sessionStorage.setItem("symbol", symbol);
    document.querySelectorAll("[data-symbol]").forEach((tab) =>
      tab.setAttribute("aria-selected", String(tab.dataset.symbol === symbol)));
    const answer = await read(`/api/market/${symbol}?limit=250`);
    if (symbol !== wanted) return;
    const bars = answer ? answer.bars : [];
    candles.setData(bars.map(candle));
    volume.setData(bars.map(bulk));
    newest = bars.length ? day(bars.at(-1).timestamp) : "";
    shown = answer ? answer.fills : [];
    drawMarks();
    marketChart.timeScale().setVisibleLogicalRange({ from: bars.length - 120, to: bars.length + 3 });
  };

  // Events that are older than what the page has loaded already are left out.
  const addBars = (event) => {
    const bar = event.bars.find((each) => each.symbol === symbol);
    if (!bar || day(event.timestamp) < newest) return;
    newest = day(event.timestamp);
    candles.update(candle({ ...bar, timestamp: event.timestamp }));
    volume.update(bulk({ ...bar, timestamp: event.timestamp }));
  };

  const addEquity = (event) => {
    if (day(event.bar_timestamp) < newestEquity) return;
    newestEquity = day(event.bar_timestamp);
    equity.update({ time: newestEquity, value: +event.equity });
  };

  const addFills = (event) => {
    const fills = event.fills.filter((fill) => fill.symbol === symbol && newest);
    if (!fills.length) return;
    shown = shown.concat(fills.map((fill) => ({ bar_timestamp: newest, ...fill }))).slice(-1000);
    drawMarks();
  };

  const load = () => Promise.all([loadEquity(), loadMarket(symbol)]);

  document.querySelectorAll("[data-symbol]").forEach((tab) =>
    tab.addEventListener("click", () => loadMarket(tab.dataset.symbol)));
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", paint);
  paint();
  const first = document.querySelector("[data-symbol]");
  symbol = sessionStorage.getItem("symbol") || (first ? first.dataset.symbol : "");
  load();

  return { load, addBars, addEquity, addFills };
})();
