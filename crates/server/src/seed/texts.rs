//! What people write to each other at work.

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};

const OPENERS: &[&str] =
    &["", "", "", "早，", "各位，", "麻烦看下：", "同步一下，", "刚开完会，", "补充：", "FYI，", "@大家 "];
const CLAUSES: &[&str] = &[
    "下午三点的评审改到四点",
    "需求文档我更新到第七版了",
    "测试环境已经恢复",
    "客户那边同意先发一半",
    "周五前要把报价给出来",
    "发票抬头写错了，我重开一张",
    "这个接口的返回值少了一个字段",
    "新来的同事工位在三楼靠窗",
    "空调又坏了，已报修",
    "数据对上了，差的是上月的退货",
    "我这边没有问题，可以合并",
    "线上的告警是误报，阈值调过了",
    "样品下周一寄出，单号稍后发",
    "排班表在工作台里，大家确认一下",
    "会议室换到 402",
    "午饭有人一起吗",
    "昨晚的备份成功了，用时十二分钟",
    "合同法务已经看过，可以走审批",
    "孩子今天发烧，请半天假",
    "The build is green again",
    "Can we move the demo to Thursday",
    "Logs look clean since the last deploy",
    "照片我传到项目文件夹了",
    "这版的首页比上一版快了不少",
    "年会节目征集到月底",
    "车票订好了，八点二十那班",
];
const CLOSERS: &[&str] =
    &["。", "。", "。", "，辛苦了。", "，收到请回复。", "？", "，我来跟。", "，明天再看。", " 🙏", " 👍", "……"];
const SHORT: &[&str] = &["好", "收到", "嗯", "好的", "👌", "在吗", "可以", "稍等", "OK", "哈哈", "1", "谢谢", "明白"];

/// The text of a message. About a third are a word or two; some run long.
pub fn message(rng: &mut StdRng) -> String {
    match rng.random_range(0..100) {
        0..30 => SHORT.choose(rng).copied().unwrap_or("好").to_owned(),
        30..92 => sentence(rng),
        92..98 => (0..rng.random_range(2..5)).map(|_| sentence(rng)).collect(),
        98 => (1..rng.random_range(5..10)).fold(String::new(), |list, n| list + &format!("{n}. {}\n", sentence(rng))),
        _ => format!("https://wiki.example.com/pages/{}\n{}", rng.random_range(1_000..9_999), sentence(rng)),
    }
}

fn sentence(rng: &mut StdRng) -> String {
    let mut pick = |from: &[&'static str]| from.choose(rng).copied().unwrap_or("");
    [pick(OPENERS), pick(CLAUSES), pick(CLOSERS)].concat()
}

/// A text of just `length` characters.
pub fn exactly(rng: &mut StdRng, length: usize) -> String {
    let mut text = String::new();
    let mut count = 0;
    while count < length {
        let more = sentence(rng);
        count += more.chars().count();
        text.push_str(&more);
    }
    text.chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn lengths_are_exact() {
        let mut rng = StdRng::seed_from_u64(1);
        for length in [1, 10_000] {
            assert_eq!(exactly(&mut rng, length).chars().count(), length);
        }
    }
}
